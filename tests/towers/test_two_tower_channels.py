"""A model with all channels and its vector tables: what is known of a search, and what came after training."""

from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.core.errors import ModelError, ShapeError
from aisle.encoders import GraphEncoderConfig, HistoryEncoderConfig, TextEncoderConfig
from aisle.features import (
    ContextConfig,
    ContextFeaturiser,
    FeatureConfig,
    Featuriser,
    Histories,
    Neighbours,
    TermConfig,
    TokenConfig,
)
from aisle.towers import LOG_CHANNELS, QueryContext, TowerConfig, TowerNetwork, TwoTower, two_tower

TITLES = ["red shoe", "blue dress with sleeves", "", "hat", "red hat", "连衣裙", "shoe " * 20]
PRODUCTS = pa.table({"title": TITLES, "brand": ["Acme", None, "", "Acme", None, None, ""]})
FEATURES = FeatureConfig(
    term=TermConfig(num_buckets=300), tokens=TokenConfig(max_query_tokens=6, max_product_tokens=8, vocabulary_size=300)
)
SHOP = PRODUCTS.append_column("product_id", pa.array([f"p{row}" for row in range(len(TITLES))])).append_column(
    "location", pa.array(["de", "de", "us", None, "us", None, None])
)
KNOWN = ["red", "a dress", "hat"]


def full_model(*, fusion="post", dtype=torch.float32, filled=True, vectors="frozen"):
    """A model with all channels; its vector tables know three queries and all products but the last."""
    torch.manual_seed(0)
    settled = TowerConfig(
        embedding_dim=30,
        fusion=fusion,
        text=TextEncoderConfig(enabled=True, hidden_dim=16, num_layers=1, num_heads=2),
        graph=GraphEncoderConfig(vectors=vectors),
        history=HistoryEncoderConfig(dim=8),
    ).with_data(LOG_CHANNELS)
    context = ContextFeaturiser.fit(SHOP, ContextConfig())
    featuriser = Featuriser.fit(SHOP, FEATURES, context=context)
    network = TowerNetwork.build(settled, featuriser, num_known=(len(KNOWN), 6))
    with torch.no_grad():
        for parameter in network.fusion.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    model = TwoTower(featuriser, network, settled)
    if filled:
        products = SHOP.slice(0, 6)
        model.fill_tables(
            query_texts=pa.array(KNOWN),
            query_features=featuriser.queries(pa.array(KNOWN)),
            product_ids=products.column("product_id").combine_chunks(),
            product_features=featuriser.products(products),
            dtype=dtype,
        )
    return model


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, atol=1e-5)


FULL = full_model()
TEXTS = ["red", "a new query", "hat"]
CONTEXT = QueryContext(
    locations=["de", None, "mars"],
    neighbours=Neighbours(np.array([[0, 4], [-1, -1], [3, -1]]), np.array([[2, 1], [0, 0], [1, 0]], np.float32)),
    history=Histories(
        query_index=np.array([[0, 1], [-1, -1], [-1, 2]]),
        product_index=np.array([[3, 4], [-1, -1], [5, -1]]),
        stage=np.array([[1, 4], [-1, -1], [2, 3]]),
        age_s=np.array([[60.0, 5.0], [0.0, 0.0], [9e5, 100.0]], np.float32),
    ),
)
PRODUCT_NEIGHBOURS = Neighbours(
    np.array([[0], [1], [-1], [2], [0], [-1], [-1]]), np.array([[1], [1], [0], [1], [1], [0], [0]], np.float32)
)


@pytest.mark.parametrize("name", ["locations", "neighbours", "history"])
@pytest.mark.parametrize("fusion", ["post", "concat"])
def test_what_is_known_of_a_search_changes_its_vector_and_only_its(name, fusion):
    model = full_model(fusion=fusion)
    plain = model.encode_queries(TEXTS)
    known = model.encode_queries(TEXTS, context=QueryContext(**{name: getattr(CONTEXT, name)}))
    assert np.abs(known[0] - plain[0]).max() > 1e-3
    assert_close(known[1], plain[1])


def test_a_cold_product_a_new_query_and_an_unknown_actor_have_vectors():
    for vectors in (FULL.encode_queries(["unheard-of"]), FULL.encode_products(SHOP.slice(6, 1))):
        assert vectors.shape == (1, 30)
        assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(FULL.encode_products(SHOP), axis=1), 2, rtol=1e-5)
    warm = FULL.encode_products(SHOP, neighbours=PRODUCT_NEIGHBOURS)
    changed = np.abs(warm - FULL.encode_products(SHOP)).max(axis=1) > 1e-3
    assert changed.tolist() == (PRODUCT_NEIGHBOURS.index[:, 0] >= 0).tolist()


def test_a_search_has_the_same_vector_alone_and_in_any_block():
    whole = FULL.encode_queries(TEXTS, context=CONTEXT)
    with patch.object(two_tower, "_ROWS_AT_ONCE", 2):
        assert_close(FULL.encode_queries(TEXTS, context=CONTEXT), whole)
    for row in range(3):
        one = np.array([row])
        alone = QueryContext(
            locations=[CONTEXT.locations[row]],
            neighbours=CONTEXT.neighbours.take(one),
            history=CONTEXT.history.take(one),
        )
        assert_close(FULL.encode_queries([TEXTS[row]], context=alone)[0], whole[row])


@pytest.mark.parametrize("fusion", ["post", "concat"])
def test_contributions_add_up_to_the_score(fusion):
    model = full_model(fusion=fusion)
    queries = model.encode_queries(TEXTS, context=CONTEXT)
    products = model.encode_products(SHOP.slice(0, 3), neighbours=PRODUCT_NEIGHBOURS.take(np.arange(3)))
    split = model.explain(queries, products)
    assert list(split) == (["term", "text", "graph", "context"] if fusion == "post" else ["all"])
    assert_close(sum(split.values()), (queries * products).sum(axis=1))


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
def test_a_saved_model_with_tables_gives_the_same_vectors(tmp_path, dtype):
    model = full_model(dtype=dtype)
    model.save(tmp_path)
    loaded = TwoTower.load(tmp_path)
    assert loaded.config == model.config
    assert torch.equal(loaded.tables.products.vectors, model.tables.products.vectors)
    np.testing.assert_array_equal(
        loaded.encode_queries(TEXTS, context=CONTEXT), model.encode_queries(TEXTS, context=CONTEXT)
    )
    np.testing.assert_array_equal(
        loaded.encode_products(SHOP, neighbours=PRODUCT_NEIGHBOURS),
        model.encode_products(SHOP, neighbours=PRODUCT_NEIGHBOURS),
    )


def test_tables_and_context_that_are_missing_are_refused(tmp_path):
    for name, message in (("tables.safetensors", "vector tables"), ("context.json", "vocabularies and quantiles")):
        folder = tmp_path / name
        folder.mkdir()
        FULL.save(folder)
        (folder / name).unlink()
        with pytest.raises(ModelError, match=message):
            TwoTower.load(folder)


def test_tables_hold_what_the_network_says_of_each_row():
    rows = FULL.tables.products.vectors
    words = FULL.config.part_dims()
    assert rows.shape == (6, words["term"] + words["text"] + words["context"])
    assert FULL.tables.queries.vectors.shape == (3, words["term"] + words["text"])
    halves = full_model(dtype=torch.float16).tables.products.vectors
    torch.testing.assert_close(halves.float(), rows, atol=1e-3, rtol=0)
    assert halves.dtype == torch.float16
    assert not rows.is_inference()


def test_new_products_and_queries_are_written_into_the_tables():
    model = full_model()
    assert model.put_products(SHOP.slice(6, 1)).tolist() == [6]
    rows = model.query_rows(["Red ", "a new query", "another", "A New  Query"])
    assert rows.tolist() == [0, 3, 4, 3]
    with patch.object(model.network, "query_row") as encode:
        assert model.query_rows(["another", "hat"]).tolist() == [4, 2]
        encode.assert_not_called()
    fresh = full_model()
    fresh.fill_tables(
        query_texts=pa.array([*KNOWN, "a new query", "another"]),
        query_features=fresh.featuriser.queries(pa.array([*KNOWN, "a new query", "another"])),
        product_ids=SHOP.column("product_id").combine_chunks(),
        product_features=fresh.featuriser.products(SHOP),
        dtype=torch.float32,
    )
    for found, expected in (
        (model.tables.queries, fresh.tables.queries),
        (model.tables.products, fresh.tables.products),
    ):
        assert found.ids.to_pylist() == expected.ids.to_pylist()
        torch.testing.assert_close(found.vectors, expected.vectors, atol=1e-5, rtol=0)


def test_a_changed_product_gets_a_new_row():
    model = full_model()
    before = model.tables.products.vectors[0].clone()
    changed = SHOP.slice(0, 1).set_column(0, "title", pa.array(["something else"]))
    assert model.put_products(changed).tolist() == [0]
    assert not torch.allclose(model.tables.products.vectors[0], before, atol=1e-2)


@pytest.mark.parametrize(
    "action",
    [
        lambda model: model.encode_queries(TEXTS, context=CONTEXT),
        lambda model: model.encode_products(SHOP, neighbours=PRODUCT_NEIGHBOURS),
        lambda model: model.put_products(SHOP),
        lambda model: model.query_rows(["red"]),
    ],
)
def test_tables_that_are_not_filled_are_refused(action):
    with pytest.raises(ModelError, match=r"vector tables of the model must be filled.*Call fill_tables"):
        action(full_model(filled=False))


def test_a_model_whose_tables_are_not_filled_is_not_saved(tmp_path):
    with pytest.raises(ModelError, match="must be filled"):
        full_model(filled=False).save(tmp_path)


@pytest.mark.parametrize(
    "context",
    [
        QueryContext(locations=["de"]),
        QueryContext(devices=["app"]),
        QueryContext(neighbours=CONTEXT.neighbours.take(np.array([0]))),
        QueryContext(history=Histories.none(4)),
    ],
)
def test_what_is_known_must_have_one_row_per_query(context):
    with pytest.raises(
        ShapeError, match=r"must have one row per query or product\. Received: \w+=\d, rows=3\. Give None"
    ):
        FULL.encode_queries(TEXTS, context=context)


def test_neighbours_must_have_one_row_per_product():
    with pytest.raises(ShapeError, match="neighbours=7, rows=2"):
        FULL.encode_products(SHOP.slice(0, 2), neighbours=PRODUCT_NEIGHBOURS)


def test_learnt_rows_are_saved_and_what_came_later_has_none(tmp_path):
    model = full_model(vectors="trained")
    for side in ("query", "product"):
        torch.nn.init.normal_(model.network.graph.learnt_rows(side))
    queries = model.encode_queries(TEXTS, context=CONTEXT)
    products = model.encode_products(SHOP, neighbours=PRODUCT_NEIGHBOURS)
    frozen = full_model()
    assert not np.allclose(queries[0], frozen.encode_queries(TEXTS, context=CONTEXT)[0], atol=1e-3)
    # A product and a query that came after training have a row of the vector tables alone.
    model.put_products(SHOP.slice(6, 1))
    model.query_rows(["came later"])
    later = QueryContext(neighbours=Neighbours(np.array([[6]]), np.ones((1, 1), np.float32)))
    frozen.put_products(SHOP.slice(6, 1))
    expected = frozen.encode_queries(["red"], context=later)
    np.testing.assert_allclose(model.encode_queries(["red"], context=later), expected, atol=1e-6)
    model.save(tmp_path)
    loaded = TwoTower.load(tmp_path)
    assert [len(loaded.network.graph.learnt_rows(side)) for side in ("query", "product")] == [3, 6]
    np.testing.assert_array_equal(loaded.encode_queries(TEXTS, context=CONTEXT), queries)
    np.testing.assert_array_equal(loaded.encode_products(SHOP, neighbours=PRODUCT_NEIGHBOURS), products)
    np.testing.assert_allclose(loaded.encode_queries(["red"], context=later), expected, atol=1e-5)
