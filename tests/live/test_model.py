import numpy as np
import pytest

from aisle.core.ranking import QueryBatch
from aisle.features import Neighbours
from aisle.live.known import KnownProducts
from aisle.live.model import LiveModel
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.training import load_encoder, load_model


@pytest.fixture(scope="module")
def products(learnt_shop):
    return read_products(learnt_shop)


def load(shop, products, **known):
    return LiveModel.load(
        shop.folder("model"), known=KnownProducts(**known), product_ids=products["product_id"].combine_chunks()
    )


def test_searches_and_products_are_encoded_as_the_model_does(learnt_shop, products):
    live, model = load(learnt_shop, products), load_model(learnt_shop)
    encoder = load_encoder(learnt_shop, model, products)
    assert (live.dim, live.reads_past, live.reads_places) == (24, True, True)
    asked = QueryBatch(["word1"])
    assert np.allclose(live.encode_search(asked), encoder.encode(asked), atol=1e-6)
    assert np.allclose(live.encode_products(products, np.arange(32)), model.encode_products(products), atol=1e-6)


def test_a_known_product_keeps_the_queries_that_led_to_it(learnt_shop, products):
    neighbours = Neighbours(np.arange(32)[:, None] % 30, np.ones((32, 1), np.float32))
    live, model = load(learnt_shop, products, neighbours=neighbours), load_model(learnt_shop)
    rows = np.array([3, 40])
    found = live.encode_products(products.take([3, 4]), rows)
    warm = model.encode_products(products.take([3]), neighbours=neighbours.take(np.array([3])))
    cold = model.encode_products(products.take([4]))
    assert np.allclose(found, np.concatenate([warm, cold]), atol=1e-6)
    assert not np.allclose(warm, model.encode_products(products.take([3])), atol=1e-3)


def test_a_boost_is_added_to_every_score(learnt_shop, products):
    boost = np.linspace(-0.3, 0.3, 32).astype(np.float32)
    bare = load(learnt_shop, products)
    live = load(learnt_shop, products, boost=boost, new_boost=0.05, squared_norm=9.0)
    rows = np.array([0, 31, 99])
    query, vectors = live.encode_search(QueryBatch(["word1"])), live.encode_products(products.slice(0, 3), rows)
    assert (live.dim, vectors.shape) == (26, (3, 26))
    plain = bare.encode_products(products.slice(0, 3), rows) @ bare.encode_search(QueryBatch(["word1"])).T
    assert np.allclose(vectors @ query.T - plain, [[-0.3], [0.3], [0.05]], atol=1e-5)
    assert np.allclose((vectors**2).sum(axis=1), 9.0, atol=1e-4)
    parts = live.split_scores(np.repeat(query, 3, axis=0), vectors)
    assert np.allclose(parts["boost"], [-0.3, 0.3, 0.05], atol=1e-6)
    assert np.allclose(sum(parts.values()), (vectors @ query.T)[:, 0], atol=1e-5)


def test_a_past_can_name_products_that_were_learnt(learnt_shop, products):
    from aisle.core.ranking import PastEvents

    live = load(learnt_shop, products)

    def with_past(index):
        past = PastEvents(np.array([0, 1]), [None], np.array([index]), np.array([4]), np.array([60.0], np.float32))
        return live.encode_search(QueryBatch(["word1"], None, past))

    known, unknown = with_past(3), with_past(32)
    live.learn_products(products.slice(3, 1), np.array([32]))
    assert not np.allclose(with_past(32), unknown, atol=1e-4)
    assert np.allclose(with_past(32), known, atol=2e-3), "the same product by another number; tables are of 16 bits"


def test_a_smaller_served_size_is_that_of_searches_products_and_explanations(learnt_shop, products):
    live = LiveModel.load(
        learnt_shop.folder("model"),
        known=KnownProducts(),
        product_ids=products["product_id"].combine_chunks(),
        dim=16,
    )
    query, vectors = live.encode_search(QueryBatch(["word1"])), live.encode_products(products, np.arange(32))
    assert (live.dim, query.shape, vectors.shape) == (16, (1, 16), (32, 16))
    parts = live.split_scores(np.repeat(query, 32, axis=0), vectors)
    assert np.allclose(sum(parts.values()), (vectors @ query.T)[:, 0], atol=1e-5)
