"""Channels learn what words cannot say: 8 kinds of product, each in 5 brands and two countries."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.encoders import HistoryEncoderConfig
from aisle.features import (
    ContextConfig,
    ContextFeaturiser,
    FeatureConfig,
    Featuriser,
    Histories,
    Neighbours,
    TermConfig,
)
from aisle.towers import LOG_CHANNELS, QueryContext, TowerConfig, TowerNetwork, TwoTower, product_batch, query_batch
from aisle.training import TrainConfig
from aisle.training.optimisers import Optimisers

KINDS, BRANDS, STEPS, ROWS = 8, 5, 60, 64
COUNTRY = np.array(["de", "us"])
KIND = ["sofa", "lamp", "desk", "chair", "shelf", "rug", "bench", "mirror"]
SHOP = pa.table(
    {
        "product_id": [f"{kind}-{brand}" for kind in range(KINDS) for brand in range(BRANDS)],
        "title": [kind for kind in KIND for _ in range(BRANDS)],
        "shop_id": [f"shop{brand}" for _ in range(KINDS) for brand in range(BRANDS)],
        "location": [COUNTRY[brand % 2] for _ in range(KINDS) for brand in range(BRANDS)],
    }
)


def build(fusion):
    torch.manual_seed(0)
    context = ContextFeaturiser.fit(SHOP, ContextConfig(min_products=1))
    features = FeatureConfig(term=TermConfig(num_buckets=512))
    featuriser = Featuriser.fit(SHOP, features, text=False, context=context)
    config = TowerConfig(embedding_dim=128, fusion=fusion, history=HistoryEncoderConfig(dim=16))
    config = config.with_data(LOG_CHANNELS)
    return TwoTower(featuriser, TowerNetwork.build(config, featuriser), config)


def searches(model, channel, rng):
    """Draw searches for a kind by actors who want one brand, of which only the channel tells."""
    kind, brand = rng.integers(0, KINDS, ROWS), rng.integers(0, BRANDS, ROWS)
    features = model.featuriser.queries(
        pa.array([KIND[one] for one in kind]),
        locations=pa.array(COUNTRY[brand % 2].tolist()) if channel == "location" else None,
    )
    if channel == "history":
        past = rng.integers(0, KINDS, (ROWS, 4))
        stage, age = np.full((ROWS, 4), 4), np.full((ROWS, 4), 1e4, np.float32)
        features = replace(features, history=Histories(past, past * BRANDS + brand[:, None], stage, age))
    return features, torch.from_numpy(kind * BRANDS + brand)


def fill(model):
    """Encode kinds, as known queries, and all products into the vector tables."""
    model.fill_tables(
        query_texts=pa.array(KIND),
        query_features=model.featuriser.queries(pa.array(KIND)),
        product_ids=SHOP.column("product_id").combine_chunks(),
        product_features=model.featuriser.products(SHOP),
    )


def share_found(channel, *, fusion):
    """Train for a second and return how often the wanted product comes first."""
    model, rng, cpu = build(fusion), np.random.default_rng(0), torch.device("cpu")
    products = model.featuriser.products(SHOP)
    optimisers = Optimisers(model.network, model.config, TrainConfig())
    for step in range(STEPS):
        if step % 20 == 0:
            fill(model)
        network = model.network.train()
        features, wanted = searches(model, channel, rng)
        scores = (
            network.query(query_batch(features, cpu, model.tables))
            @ network.product(product_batch(products, cpu, model.tables)).T
        )
        torch.nn.functional.cross_entropy(30 * scores, wanted).backward()
        optimisers.step(1.0)
    features, wanted = searches(model, channel, np.random.default_rng(1))
    scores = model.encode_query_features(features) @ model.encode_product_features(products).T
    return float((scores.argmax(1) == wanted.numpy()).mean())


@pytest.mark.parametrize("fusion", ["post", "concat"])
def test_each_channel_tells_what_it_knows_and_words_alone_do_not(fusion):
    found = {channel: share_found(channel, fusion=fusion) for channel in ("none", "location", "history")}
    # Words alone find 1 of 5 brands; with the country 1 of 3 or of 2; history names the brand.
    assert found["none"] < 0.35
    assert 0.3 < found["location"] < 0.75
    assert found["history"] > 0.9


@pytest.mark.parametrize("fusion", ["post", "concat"])
def test_a_word_that_no_product_holds_is_found_through_its_neighbours(fusion):
    """One product of the kind that the word led to is enough, before any training: both sides share what they read."""
    model = build(fusion)
    fill(model)
    ones = np.ones((KINDS, 1), np.float32)
    led_to = QueryContext(neighbours=Neighbours(np.arange(KINDS)[:, None] * BRANDS, ones))
    kind_of = np.repeat(np.arange(KINDS), BRANDS)
    queries_of = Neighbours(kind_of[:, None], np.ones((len(kind_of), 1), np.float32))
    products = model.encode_products(SHOP, neighbours=queries_of)
    words = ["qwertz", "asdf", "yxcv", "uiop", "hjkl", "bnm", "poiu", "lkjh"]

    def share_of_kind(queries):
        best = np.argsort(-(queries @ products.T), axis=1)[:, :BRANDS]
        return (kind_of[best] == np.arange(KINDS)[:, None]).mean()

    assert share_of_kind(model.encode_queries(words, context=led_to)) > 0.9
    assert share_of_kind(model.encode_queries(words)) < 0.4
