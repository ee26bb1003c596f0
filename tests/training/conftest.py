import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.encoders.config import TermEncoderConfig, TextEncoderConfig
from aisle.features import FeatureConfig, Featuriser, TermConfig, TokenConfig, product_text
from aisle.towers import TowerConfig, TowerNetwork, TwoTower
from aisle.training import TrainConfig, TrainingData, TrainingPairs
from aisle.training.validation_sets import qrels_of_pairs

_KINDS = ("sofa", "lamp", "desk", "chair", "shelf", "rug", "bench", "mirror")
_ALIASES = ("couch", "lantern", "bureau", "throne", "rack", "carpet", "pew", "glass")
_COLOURS = ("red", "blue", "green", "black", "white")
_STUFFS = ("oak", "wool", "steel")


@pytest.fixture(autouse=True)
def _one_thread():
    """Models this small only wait for a second thread."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.fixture(scope="session")
def products():
    """120 products: kind, colour and material in the title; a brand; every third has attributes."""
    rows = [(kind, colour, stuff) for kind in _KINDS for colour in _COLOURS for stuff in _STUFFS]
    titles = [f"{colour} {kind} {stuff}" for kind, colour, stuff in rows]
    return pa.table(
        {
            "product_id": [f"p{i}" for i in range(len(rows))],
            "title": titles,
            "brand": [("Norvik", "Belmora")[i % 2] for i in range(len(rows))],
            "attributes": pa.array(
                [[("finish", "matt")] if i % 3 == 0 else [] for i in range(len(rows))],
                pa.map_(pa.string(), pa.string()),
            ),
        }
    )


@pytest.fixture(scope="session")
def alias_pairs(products):
    """Shoppers' words for kinds, which no product holds: what only training can teach. 5 colours × 8 kinds queries."""
    titles = products.column("title").to_pylist()
    texts, product = [], []
    for index, title in enumerate(titles):
        colour, kind, _ = title.split()
        texts.append(f"{colour} {_ALIASES[_KINDS.index(kind)]}")
        product.append(index)
    weight = np.where(np.arange(len(texts)) % 4 == 0, 1.0, 0.5).astype(np.float32)
    return TrainingPairs.from_texts(pa.array(texts), np.array(product), weight)


@pytest.fixture(scope="session")
def featuriser(products):
    config = FeatureConfig(
        term=TermConfig(num_buckets=4096, stemmer=None, max_query_ngrams=30, max_product_ngrams=60),
        tokens=TokenConfig(max_query_tokens=8, max_product_tokens=12, vocabulary_size=300),
    )
    return Featuriser.fit(products, config, term=True, text=True)


@pytest.fixture(scope="session")
def write_data(featuriser, products, alias_pairs, tmp_path_factory):
    """Write training data and map it back; what is not given is the shop of the other fixtures."""

    def write(*, products=products, pairs=alias_pairs, queries=None, qrels=None, featuriser=featuriser):
        folder = tmp_path_factory.mktemp("features")
        every_query = np.arange(len(pairs.queries))
        TrainingData.write(
            folder,
            featuriser=featuriser,
            products=products,
            texts=product_text(products),
            pairs=pairs,
            validation_queries=pairs.queries if queries is None else queries,
            validation_qrels=qrels_of_pairs(pairs, every_query) if qrels is None else qrels,
        )
        return TrainingData.read(folder)

    return write


@pytest.fixture(scope="session")
def data(write_data):
    """120 pairs over 120 products; the training queries themselves validate."""
    return write_data()


@pytest.fixture(scope="session")
def make_model(featuriser):
    """Build a small untrained model; the same seed gives the same weights."""

    def make(*, term=True, text=True, fusion="post", dropout=0.0, seed=0):
        towers = TowerConfig(
            embedding_dim=16,
            fusion=fusion,
            term=TermEncoderConfig(enabled=term, learning_rate=0.02),
            text=TextEncoderConfig(
                enabled=text, num_layers=1, hidden_dim=16, num_heads=2, dropout=dropout, learning_rate=0.01
            ),
        )
        torch.manual_seed(seed)
        return TwoTower(featuriser, TowerNetwork.build(towers, featuriser), towers)

    return make


@pytest.fixture(scope="session")
def make_config():
    """Settings of a short run: 7 steps per epoch on the pairs of `data`, 21 in all, a validation after 3, 6, 9 …."""

    def make(**changes):
        values = {
            "batch_size": 16,
            "epochs": 3,
            "max_minutes": 1000.0,
            "temperature": 0.1,
            "batch_weight": 1.0,
            "uniform_weight": 0.5,
            "num_uniform": 16,
            "log_q": True,
            "fusion_learning_rate": 0.01,
            "weight_decay": 0.01,
            "warmup_share": 0.1,
            "gradient_clip": 10.0,
            "validations_per_epoch": 2,
            "patience": 100,
            "checkpoint_minutes": 1000.0,
            "bf16": False,
        }
        return TrainConfig(**{**values, **changes})

    return make
