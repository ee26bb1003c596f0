import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.encoders import HistoryEncoderConfig
from aisle.features import (
    Context,
    ContextConfig,
    ContextFeaturiser,
    FeatureConfig,
    Features,
    Featuriser,
    Histories,
    Neighbours,
    TermConfig,
    Terms,
)
from aisle.towers import LOG_CHANNELS, TowerConfig, TowerNetwork, VectorTable, VectorTables
from aisle.towers.query_inputs import QueryInputs

SHOP = pa.table({"title": ["red shoe", "hat"], "location": ["de", "us"]})


def network():
    torch.manual_seed(0)
    config = TowerConfig(embedding_dim=12, history=HistoryEncoderConfig(dim=8)).with_data(LOG_CHANNELS)
    context = ContextFeaturiser.fit(SHOP, ContextConfig())
    features = FeatureConfig(term=TermConfig(num_buckets=20))
    return TowerNetwork.build(config, Featuriser.fit(SHOP, features, text=False, context=context))


NETWORK = network()
WORDS, CONTEXT = NETWORK.graph.word_dim, NETWORK.context.dim
TABLES = VectorTables(
    VectorTable(pa.array(["a", "b"]), torch.arange(2 * WORDS).reshape(2, -1).half()),
    VectorTable(pa.array(["p", "q", "r"]), torch.arange(3 * (WORDS + CONTEXT)).reshape(3, -1).half()),
)


def looked_up(*, buckets=(), weight=(), place=(-1, -1), tables=TABLES, **known):
    terms = Terms(np.array([0, len(buckets)]), np.array(buckets, np.int32), np.array(weight, np.float32))
    features = Features(terms=terms, tokens=None, context=Context(np.array([place], np.int32)), **known)
    return QueryInputs(NETWORK).of(features, tables)


def history(query, product, stage, age_s):
    return Histories(*(np.array([column]) for column in (query, product, stage)), np.array([age_s], np.float32))


def test_terms_are_summed_by_weight_and_none_is_the_missing_vector():
    table = NETWORK.term.table.weight.detach().numpy()
    summed = looked_up(buckets=[3, 5], weight=[2, 0.5])["term"]
    np.testing.assert_allclose(summed, [2 * table[3] + 0.5 * table[5]], rtol=1e-6)
    np.testing.assert_array_equal(looked_up()["term"], [NETWORK.term.missing.detach().numpy()])


def test_only_known_neighbours_are_looked_up():
    found = looked_up(neighbours=Neighbours(np.array([[2, -1, 0, 7]]), np.array([[4, 3, 2, 1]], np.float32)))
    np.testing.assert_array_equal(found["neighbours"], TABLES.products.vectors[[2, 0]].float().numpy())
    assert found["neighbour_weight"].tolist() == [[4, 2]]
    assert found["has_neighbours"].tolist() == [[True]]


def test_events_are_those_with_a_stage_and_each_side_may_be_unknown():
    found = looked_up(history=history([0, -1, 1], [2, 1, -1], [4, -1, 1], [120, 0, 0]))
    assert found["event_stage"].tolist() == [4, 1]
    assert found["event_age"].tolist() == [1, 0]
    assert found["event_query_known"].tolist() == [[True], [True]]
    assert found["event_product_known"].tolist() == [[True], [False]]
    np.testing.assert_array_equal(found["event_query"], TABLES.queries.vectors.float().numpy())
    np.testing.assert_array_equal(found["event_product"][0], TABLES.products.vectors[2].float().numpy())


def test_the_place_is_summed_and_the_past_is_the_mean_of_known_products():
    table = NETWORK.context.table.weight.detach().numpy()
    found = looked_up(place=(1, 2), history=history([-1] * 3, [0, 2, -1], [1, 1, 1], [0, 0, 0]))
    np.testing.assert_allclose(found["place"], [table[1] + table[2]], rtol=1e-6)
    vectors = TABLES.products.vectors.float().numpy()
    np.testing.assert_allclose(found["past"], vectors[[0, 2]].mean(axis=0, keepdims=True)[:, -CONTEXT:])
    assert found["place_known"].tolist() == [[True]]


def test_a_past_alone_makes_the_place_known():
    assert looked_up(history=history([-1], [2], [1], [0]))["place_known"].tolist() == [[True]]
    assert looked_up(history=history([-1], [-1], [1], [0]))["place_known"].tolist() == [[False]]


@pytest.mark.parametrize("tables", [TABLES, None])
def test_what_is_not_known_has_one_entry_and_says_so(tables):
    nobody = {"neighbours": Neighbours.none(1), "history": Histories.none(1)}
    for found in (looked_up(tables=tables), looked_up(tables=tables, **nobody)):
        assert not any(found[name].any() for name in ("has_neighbours", "has_events", "place_known"))
        assert len(found["neighbours"]) == len(found["event_query"]) == len(found["event_age"]) == 1
