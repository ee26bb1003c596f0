import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.core.errors import ModelError
from aisle.core.ranking import PastEvents, QueryBatch
from aisle.encoders.config import GraphEncoderConfig, HistoryEncoderConfig
from aisle.features import FeatureConfig, Featuriser, TermConfig
from aisle.retrieval import SearchEncoder, Speller, save_edges
from aisle.towers import TowerConfig, TowerNetwork, TwoTower

PRODUCTS = pa.table({"product_id": ["a", "b", "c"], "title": ["red lamp", "blue sofa", "green rug"]})
TEXTS = pa.array(["lamp", "couch"])


@pytest.fixture
def model():
    torch.manual_seed(0)
    featuriser = Featuriser.fit(PRODUCTS, FeatureConfig(term=TermConfig(num_buckets=512)), text=False)
    towers = TowerConfig(
        embedding_dim=16,
        graph=GraphEncoderConfig(enabled=True, neighbours=2),
        history=HistoryEncoderConfig(enabled=True, events=2, dim=8),
    )
    network = TowerNetwork.build(towers, featuriser)
    # As after training: corrections that start at zero hide the history.
    for parameter in network.fusion.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    model = TwoTower(featuriser, network.eval(), towers)
    model.fill_tables(
        query_texts=TEXTS,
        query_features=featuriser.queries(TEXTS),
        product_ids=PRODUCTS.column("product_id").combine_chunks(),
        product_features=featuriser.products(PRODUCTS),
    )
    return model


@pytest.fixture
def encoder(model, tmp_path):
    """Couch led to b; nothing else led anywhere."""
    save_edges(tmp_path, offsets=np.array([0, 0, 1]), index=np.array([1], np.int32), weight=np.array([2.0], np.float32))
    return SearchEncoder.load(model, tmp_path, product_ids=PRODUCTS.column("product_id"))


def past_of(*events):
    """Events of the first of two searches: (query, product, stage, age)."""
    query, product, stage, age = zip(*events, strict=True)
    count = len(events)
    return PastEvents(
        np.array([0, count, count]), list(query), np.array(product), np.array(stage), np.array(age, np.float32)
    )


def test_a_query_reads_what_it_led_to(model, encoder):
    with_graph, words_alone = encoder.encode_queries(["Couch", "lamp"]), model.encode_queries(["Couch", "lamp"])
    assert not np.allclose(with_graph[0], words_alone[0])
    np.testing.assert_allclose(with_graph[1], words_alone[1], atol=1e-6)


def test_a_slip_is_mended_before_it_is_looked_up_and_encoded(model, encoder, tmp_path):
    speller = Speller.build(pa.table({"product_id": ["a"], "title": ["couch lamp"]}))
    ids = PRODUCTS.column("product_id")
    mending = SearchEncoder.load(model, tmp_path, product_ids=ids, speller=speller)
    right = encoder.encode_queries(["couch", "lamp"])
    np.testing.assert_allclose(mending.encode_queries(["cuoch", "lampp"]), right, atol=1e-6)
    assert not np.allclose(encoder.encode_queries(["cuoch"]), right[:1], atol=1e-3)


def test_only_the_last_events_of_a_searchers_own_past_count(encoder):
    last = [("couch", 1, 2, 60.0), (None, -1, 4, 5.0)]
    two = encoder.encode(QueryBatch(["lamp", "lamp"], past=past_of(*last)))
    three = encoder.encode(QueryBatch(["lamp", "lamp"], past=past_of(("lamp", 0, 4, 900.0), *last)))
    np.testing.assert_allclose(two, three, atol=1e-6)
    assert not np.allclose(two[0], two[1])
    np.testing.assert_allclose(two[1], encoder.encode_queries(["lamp"])[0], atol=1e-6)


def test_an_unseen_query_of_the_past_is_encoded_once_and_kept(model, encoder):
    batch = QueryBatch(["lamp", "lamp"], past=past_of(("brand new", 2, 2, 60.0)))
    assert np.isfinite(encoder.encode(batch)).all()
    assert len(model.tables.queries) == 3


def test_missing_edges_are_told(model, tmp_path):
    with pytest.raises(ModelError, match="must hold the neighbours of its queries"):
        SearchEncoder.load(model, tmp_path / "none", product_ids=["a"])
