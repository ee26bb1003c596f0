import pytest


@pytest.fixture(scope="session")
def checkpoint(simulated, tmp_path_factory):
    """Write a tiny Hugging Face encoder; another seed changes its weights alone. It knows the words of the titles."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    titles = " ".join(simulated.products.column("title").to_pylist()).lower().split()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]

    def write(folder=None, *, seed, words=titles):
        vocabulary = [*special, *sorted(set(words))]
        folder = folder or tmp_path_factory.mktemp("checkpoint")
        pieces = Tokenizer(models.WordPiece({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
        pieces.normalizer = normalizers.BertNormalizer()
        pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        pieces.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
        PreTrainedTokenizerFast(tokenizer_object=pieces, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(folder)
        torch.manual_seed(seed)
        shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
        config = BertConfig(vocab_size=len(vocabulary), max_position_embeddings=64, **shape)
        BertModel(config).save_pretrained(folder)
        return folder

    return write
