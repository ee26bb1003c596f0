import dataclasses

import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.core.errors import ModelError
from aisle.encoders import GraphEncoderConfig, TermEncoderConfig, TextEncoderConfig
from aisle.features import FeatureConfig, Featuriser, TermConfig
from aisle.towers import TowerConfig, TowerNetwork, TwoTower
from aisle.towers.growing import start_network_from

PRODUCTS = pa.table({"product_id": ["a", "b", "c"], "title": ["red shoe", "blue hat", "green coat"]})
QUERIES = pa.array(["shoe", "hat"])


@pytest.fixture
def featuriser():
    return Featuriser.fit(PRODUCTS, FeatureConfig(term=TermConfig(num_buckets=64)), text=False, queries=QUERIES)


def towers(**changes):
    parts = {"term": TermEncoderConfig(), "text": TextEncoderConfig(enabled=False)}
    graph = GraphEncoderConfig(enabled=True, vectors="trained")
    return dataclasses.replace(TowerConfig(embedding_dim=16, graph=graph, **parts), **changes)


@pytest.fixture
def trained(featuriser):
    """A model of two queries and two products, whose learnt rows are 1 and 2."""
    config, known = towers(), PRODUCTS.slice(0, 2)
    model = TwoTower(featuriser, TowerNetwork.build(config, featuriser, num_known=(2, 2)), config)
    for table in model.network.graph.learnt.values():
        table.weight.data[:] = torch.tensor([[1.0], [2.0]])
    model.fill_tables(
        query_texts=QUERIES,
        query_features=featuriser.queries(QUERIES),
        product_ids=known.column("product_id").combine_chunks(),
        product_features=featuriser.products(known),
    )
    return model


def grown(featuriser, trained, queries, products, config=None):
    network = TowerNetwork.build(config or towers(), featuriser, num_known=(len(queries), len(products)))
    start_network_from(network, trained, query_texts=pa.array(queries), product_ids=pa.array(products))
    return network


def test_learnt_rows_go_by_their_ids_and_new_ones_are_zero(featuriser, trained):
    network = grown(featuriser, trained, ["hat", "coat", "shoe"], ["a", "new", "b"])
    assert network.graph.learnt_rows("query")[:, 0].tolist() == [2, 0, 1]
    assert network.graph.learnt_rows("product")[:, 0].tolist() == [1, 0, 2]


def test_every_other_weight_is_the_trained_one(featuriser, trained):
    state = grown(featuriser, trained, ["hat"], ["a"]).state_dict()
    for name, value in trained.network.state_dict().items():
        if ".learnt." not in name:
            torch.testing.assert_close(state[name], value, rtol=0, atol=0)


def test_a_network_of_other_settings_is_refused(featuriser, trained):
    with pytest.raises(ModelError, match=r"must have the settings of the new one.*size mismatch|Error"):
        grown(featuriser, trained, ["hat"], ["a"], towers(embedding_dim=32))


def test_rows_that_a_service_added_have_no_learnt_row(featuriser, trained):
    trained.put_products(PRODUCTS.slice(2))
    network = grown(featuriser, trained, ["hat"], ["c", "a"])
    assert network.graph.learnt_rows("product")[:, 0].tolist() == [0, 1]
    assert np.isfinite(trained.tables.products.vectors.numpy()).all()
