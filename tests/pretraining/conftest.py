from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.encoders import TextEncoder, TextEncoderConfig
from aisle.features import TokenConfig
from aisle.pretraining import PretrainConfig, PretrainData, PretrainNetwork, PretrainTexts
from aisle.pretraining.folder import fit_tokens, small_transformer
from aisle.pretraining.heads import QueryWriter
from aisle.training import TrainingPairs

_KINDS = ("sofa", "lamp", "desk", "chair", "shelf", "rug", "bench", "mirror")
_ALIASES = ("couch", "lantern", "bureau", "throne", "rack", "carpet", "pew", "glass")
_COLOURS = ("red", "blue", "green", "black", "white")
_STUFFS = ("oak", "wool", "steel")
_TOKENS = TokenConfig(max_query_tokens=6, max_product_tokens=10, vocabulary_size=400)


@pytest.fixture(autouse=True)
def _one_thread():
    """Models this small only wait for a second thread."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.fixture(scope="session")
def shop_texts():
    """120 products, and queries in shoppers' words that no product holds: colour and alias lead to 3 products each."""
    rows = [(kind, colour, stuff) for kind in range(8) for colour in _COLOURS for stuff in _STUFFS]
    products = pa.array([f"{_KINDS[kind]} {colour} {stuff}" for kind, colour, stuff in rows])
    queries = pa.array([f"{colour} {_ALIASES[kind]}" for kind, colour, _ in rows])
    pairs = TrainingPairs.from_texts(queries, np.arange(len(rows)), np.ones(len(rows), np.float32))
    return PretrainTexts(
        texts=pa.concat_arrays([products, pairs.queries]),
        products=products,
        pairs=pairs,
        purchases=pairs,
        pairs_from="queries and products of the log",
        counts={"products": 120, "products_later": 0, "queries": 40, "purchases": 120},
    )


@pytest.fixture(scope="session")
def shop_tokens(shop_texts, tmp_path_factory):
    return fit_tokens(shop_texts.texts, _TOKENS, tmp_path_factory.mktemp("tokens"))


@pytest.fixture(scope="session")
def make_pretrain_config():
    """Settings of seconds, all objectives on."""

    def make(**changes):
        values = {"sequence_weight": 1.0, "batch_size": 16, "max_steps": 30, "validation_steps": 10}
        values |= {"held_out_share": 0.2, "patience": 50, "bf16": False, "max_minutes": 60, "learning_rate": 3e-3}
        return PretrainConfig(**{**values, **changes})

    return make


@pytest.fixture(scope="session")
def make_pretrain_data(shop_texts, shop_tokens):
    def make(config, texts=shop_texts):
        ids = {"mask_id": shop_tokens.mask_id, "special_ids": shop_tokens.special_ids}
        return PretrainData.of(texts, shop_tokens.featuriser, config, **ids)

    return make


@pytest.fixture
def make_network(shop_tokens):
    def make(*, seed=0, dropout=0.1, writes=True):
        torch.manual_seed(seed)
        sizes = TextEncoderConfig(num_layers=1, hidden_dim=16, num_heads=2, dropout=dropout)
        small = small_transformer(sizes, vocabulary_size=shop_tokens.featuriser.vocabulary_size, max_tokens=10)
        shape = {"table_dim": 16, "num_layers": 1, "num_heads": 2, "max_tokens": 6, "dropout": dropout}
        writer = QueryWriter(16, **shape) if writes else None
        return PretrainNetwork(TextEncoder(small, 1), writer=writer)

    return make


@pytest.fixture
def setting(make_pretrain_config, make_pretrain_data, make_network):
    """Settings, data and an untrained network that fit each other."""
    config = make_pretrain_config()
    return SimpleNamespace(config=config, data=make_pretrain_data(config), network=make_network(dropout=0.0).eval())
