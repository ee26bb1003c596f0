import datetime

import pytest

FIRST, HOUR = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC), datetime.timedelta(hours=1)
SMALL = (
    "embedding_dim=24",
    "features.term.num_buckets=1024",
    "train.batch_size=16",
    "train.epochs=1",
    "train.min_steps=1",
    "train.num_uniform=8",
    "history.dim=8",
    "mining.num_slices=3",
    "mining.threads=1",
    "mining.memory_gb=0.5",
)


def growing_tables(num_searches, *, start=0, num_products=30):
    """Searches from `start` on; each is answered by an order of the product of its number."""
    import pyarrow as pa

    numbers = range(start, num_searches)
    shown = [(number, (number + step) % num_products, step + 1) for number in numbers for step in range(3)]
    columns = {
        "products": {
            "product_id": [f"p{number}" for number in range(num_products)],
            "title": [f"thing word{number}" for number in range(num_products)],
            "brand": [("Norvik", "Belmora")[number % 2] for number in range(num_products)],
        },
        "searches": {
            "search_id": [f"q{number}" for number in numbers],
            "query": [f"word{number % num_products}" for number in numbers],
            "searched_at": [FIRST + number * HOUR for number in numbers],
            "user_id": [f"u{number % 11}" for number in numbers],
        },
        "impressions": {
            "search_id": [f"q{number}" for number, *_ in shown],
            "product_id": [f"p{product}" for _, product, _ in shown],
            "position": [position for *_, position in shown],
            "ordered_at": [FIRST + number * HOUR if position == 1 else None for number, _, position in shown],
        },
    }
    return {name: pa.table(values) for name, values in columns.items()}


@pytest.fixture
def grown_tables():
    """Tables of a log of one search an hour, as long as wished; see `growing_tables`."""
    return growing_tables


@pytest.fixture
def small_recipe():
    """Settings with which such a log is mined and learnt in seconds; overrides may follow."""
    from aisle.pipelines.recipe import load_recipe

    return lambda *more: load_recipe(None, [*SMALL, *more])


@pytest.fixture(scope="session")
def _day_one(tmp_path_factory):
    from aisle.pipelines.importing import import_tables
    from aisle.pipelines.mining import mine
    from aisle.pipelines.recipe import load_recipe
    from aisle.pipelines.training import train_model
    from aisle.sources import SourceTables
    from aisle.workspace import Workspace

    workspace = Workspace.open(tmp_path_factory.mktemp("grown") / "shop", create=True)
    import_tables(workspace, SourceTables(growing_tables(250)))
    recipe = load_recipe(None, SMALL)
    mine(workspace, recipe.mining)
    train_model(workspace, recipe)
    return workspace.path


@pytest.fixture
def day_one(_day_one, tmp_path):
    """A shop with 250 searches, mined and learnt, to be changed: `grown_tables(400, start=250)` is its next day."""
    import shutil

    from aisle.workspace import Workspace

    shutil.copytree(_day_one, tmp_path / "grown")
    return Workspace.open(tmp_path / "grown")


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
