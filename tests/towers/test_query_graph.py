from pathlib import Path
from unittest.mock import patch

import numpy as np
import onnx_ir
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.encoders import (
    ContextEncoderConfig,
    GraphEncoderConfig,
    HistoryEncoderConfig,
    TermEncoderConfig,
    TextEncoderConfig,
)
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
from aisle.towers import LOG_CHANNELS, QueryContext, TowerConfig, TowerNetwork, TwoTower
from aisle.towers.query_graph import QUERY_GRAPH

SHOP = pa.table(
    {
        "product_id": [f"p{row}" for row in range(6)],
        "title": ["red shoe", "blue dress with sleeves", "", "hat", "red hat", "连衣裙"],
        "location": ["de", "us", None, "de", None, "us"],
    }
)
DEVICES = ["phone", "desk"]
KNOWN = ["red", "a dress", "hat"]
FEATURES = FeatureConfig(
    term=TermConfig(num_buckets=300), tokens=TokenConfig(max_query_tokens=9, max_product_tokens=12, vocabulary_size=300)
)
TEXTS = ["", "🎉", "hat", "a blue dress", "连衣裙", "unheard-of words " * 40]


def model_with(
    *, fusion="post", init=None, term=True, text=True, graph="mean", context=True, history=True, queries=True, **more
):
    """A model whose every weight is at random, so that nothing hides behind a start at zero."""
    torch.manual_seed(0)
    config = TowerConfig(
        embedding_dim=40,
        fusion=fusion,
        term=TermEncoderConfig(enabled=term),
        text=TextEncoderConfig(enabled=text, init=init, hidden_dim=16, num_layers=2, num_heads=2, queries=queries),
        graph=GraphEncoderConfig(enabled=None if graph else False, pooling=graph or "mean", **more),
        context=ContextEncoderConfig(enabled=None if context else False),
        history=HistoryEncoderConfig(enabled=None if history else False, dim=8),
    ).with_data(LOG_CHANNELS)
    made = ContextFeaturiser.fit(SHOP, ContextConfig(), devices=pa.array(DEVICES)) if context else None
    featuriser = Featuriser.fit(
        SHOP, FEATURES, term=term, text=text, checkpoint=init, context=made, text_queries=queries
    )
    network = TowerNetwork.build(config, featuriser, num_known=(len(KNOWN), SHOP.num_rows - 1))
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if not name.startswith("text.transformer.model."):
                parameter.add_(torch.randn_like(parameter) * 0.3)
    model = TwoTower(featuriser, network, config)
    if network.reads_tables:
        model.fill_tables(
            query_texts=pa.array(KNOWN),
            query_features=featuriser.queries(pa.array(KNOWN)),
            product_ids=SHOP.column("product_id").combine_chunks(),
            product_features=featuriser.products(SHOP),
        )
    return model


@st.composite
def searches(draw):
    """A text and what is known of its search, of one row; rows -1 and 99 are in no table."""
    row = st.sampled_from([-1, 0, 1, 2, 99])
    events = draw(st.lists(st.tuples(row, row, st.integers(-1, 4), st.floats(0, 1e9, width=32)), max_size=30))
    found = draw(st.lists(st.tuples(row, st.floats(0, 100, width=32)), max_size=10))
    history, neighbours = None, None
    if events:
        query, product, stage, age = (np.array([column]) for column in zip(*events, strict=True))
        history = Histories(query, product, stage, age.astype(np.float32))
    if found:
        index, weight = (np.array([column]) for column in zip(*found, strict=True))
        neighbours = Neighbours(index, weight.astype(np.float32))
    place = [[draw(st.sampled_from(values))] for values in ([None, "de", "mars"], [None, *DEVICES])]
    context = QueryContext(locations=place[0], devices=place[1], neighbours=neighbours, history=history)
    return draw(st.sampled_from(TEXTS)), context


def assert_agrees(live, model, search):
    text, context = search
    expected = model.encode_queries([text], context=context)
    found = live.encode_queries([text], context=context)
    assert (found.shape, found.dtype) == (expected.shape, np.float32)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def loaded(model, folder):
    assert model.save(folder)
    live = TwoTower.load(folder)
    # Whatever is encoded now goes through the graph.
    live.network.query = None
    return live


SWITCHES = {
    "all": {},
    "concat": {"fusion": "concat"},
    "attention": {"graph": "attention"},
    "attention_concat": {"graph": "attention", "fusion": "concat"},
    "term": {"text": False, "graph": None, "context": False, "history": False},
    "text": {"term": False, "graph": None, "context": False, "history": False},
    "words_concat": {"graph": None, "context": False, "history": False, "fusion": "concat"},
    "learnt_rows": {"vectors": "trained"},
    "learnt_rows_attention": {"vectors": "trained", "graph": "attention", "fusion": "concat"},
    "text_of_products": {"queries": False, "graph": "attention"},
    "text_of_products_concat": {"queries": False, "fusion": "concat"},
    "no_term": {"term": False},
    "no_text": {"text": False},
    "no_graph": {"graph": None},
    "no_context": {"context": False},
    "no_history": {"history": False},
}


@pytest.mark.parametrize("switches", SWITCHES.values(), ids=SWITCHES)
def test_single_searches_agree_with_the_network(tmp_path, switches):
    model = model_with(**switches)
    live = loaded(model, tmp_path)

    @settings(max_examples=40, deadline=None)
    @given(search=searches())
    def agrees(search):
        assert_agrees(live, model, search)

    agrees()


def test_texts_of_every_length_agree_with_the_network(tmp_path):
    model = model_with()
    live = loaded(model, tmp_path)
    for length in range(1, 14):
        assert_agrees(live, model, ("hat " * length, QueryContext()))


@pytest.mark.parametrize("seconds", [0, 59, 60, 180, 420, 86_340, 60 * (2**20 - 1)])
def test_an_age_on_the_border_of_a_bucket_falls_to_the_same_side(tmp_path, seconds):
    model = model_with()
    history = Histories(np.array([[0]]), np.array([[1]]), np.array([[2]]), np.array([[seconds]], np.float32))
    assert_agrees(loaded(model, tmp_path), model, ("hat", QueryContext(history=history)))


def test_learnt_rows_count_and_a_product_that_came_later_has_none(tmp_path):
    """Product 5 is in the vector table and has no learnt row."""
    model = model_with(vectors="trained")
    live = loaded(model, tmp_path)
    found = {}
    for product in (1, 5):
        one = Neighbours(np.array([[product]]), np.ones((1, 1), np.float32))
        search = ("hat", QueryContext(neighbours=one))
        assert_agrees(live, model, search)
        with torch.no_grad():
            before = live.encode_queries(["hat"], context=search[1])
            live.network.graph.learnt_rows("product").mul_(-1)
            found[product] = np.abs(live.encode_queries(["hat"], context=search[1]) - before).max()
            live.network.graph.learnt_rows("product").mul_(-1)
    assert found[1] > 0.01
    assert found[5] == 0


def test_vectors_have_the_norm_of_their_fusion(tmp_path):
    live = loaded(model_with(fusion="concat"), tmp_path)
    for text in TEXTS:
        assert np.linalg.norm(live.encode_queries([text])) == pytest.approx(1, abs=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("fusion", ["post", "concat"])
def test_a_hugging_face_encoder_agrees_with_the_network(tmp_path, tiny_encoder, fusion):
    model = model_with(init=str(tiny_encoder), fusion=fusion)
    live = loaded(model, tmp_path)
    for text in TEXTS:
        assert_agrees(live, model, (text, QueryContext(locations=["de"])))


def test_the_graph_holds_no_weights_and_no_path_of_its_own(tmp_path):
    model_with().save(tmp_path)
    written = (tmp_path / QUERY_GRAPH).read_bytes()
    for trace in (str(tmp_path), str(Path(__file__).parents[2])):
        assert trace.encode() not in written
    graph = onnx_ir.load(tmp_path / QUERY_GRAPH).graph
    kept = [value.const_value for value in graph.initializers.values()]
    outside = [tensor for tensor in kept if isinstance(tensor, onnx_ir.ExternalTensor)]
    assert {str(tensor.location) for tensor in outside} == {"model.safetensors"}
    assert max(tensor.size for tensor in kept if tensor not in outside) < 10


def test_an_encoder_that_cannot_be_traced_is_left_to_the_network(tmp_path, tiny_encoder):
    model = model_with(init=str(tiny_encoder))
    (tmp_path / QUERY_GRAPH).write_bytes(b"of another model")
    with patch.object(torch.onnx, "export", side_effect=torch.onnx.OnnxExporterError):
        assert not model.save(tmp_path)
    assert not (tmp_path / QUERY_GRAPH).exists()
    np.testing.assert_array_equal(TwoTower.load(tmp_path).encode_queries(["hat"]), model.encode_queries(["hat"]))


def test_an_encoder_that_reads_products_alone_is_not_traced(tmp_path, tiny_encoder):
    model = model_with(init=str(tiny_encoder), queries=False)
    with patch.object(torch.onnx, "export", side_effect=AssertionError):
        live = loaded(model, tmp_path)
    assert_agrees(live, model, ("blue hat", QueryContext(locations=["de"])))
    np.testing.assert_allclose(live.encode_products(SHOP), model.encode_products(SHOP), atol=1e-6)
