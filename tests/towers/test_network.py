from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch.nn.functional import normalize

from aisle.core.errors import ConfigError, ModelError
from aisle.encoders import (
    ContextEncoderConfig,
    GraphEncoderConfig,
    HistoryBatch,
    HistoryEncoderConfig,
    NeighbourBatch,
    TermEncoderConfig,
    TextEncoderConfig,
)
from aisle.features import (
    ContextConfig,
    ContextFeaturiser,
    FeatureConfig,
    Featuriser,
    TermConfig,
    TokenConfig,
    read_features,
    write_features,
)
from aisle.towers import LOG_CHANNELS, ConcatFusion, PostFusion, TowerConfig, TowerNetwork, feature_batch
from aisle.towers.channels import table_dims

CPU = torch.device("cpu")
PRODUCTS = pa.table({"title": ["red shoe", "blue dress with sleeves", "!", "hat", "red hat"]})
CONFIG = FeatureConfig(
    term=TermConfig(num_buckets=300), tokens=TokenConfig(max_query_tokens=6, max_product_tokens=8, vocabulary_size=300)
)


def featuriser(term=True, text=True):
    return Featuriser.fit(PRODUCTS, CONFIG, term=term, text=text)


def config(term=True, text=True, **settings):
    """Parts of round sizes, whatever the shares of a recipe are."""
    return TowerConfig(
        embedding_dim=12,
        term=TermEncoderConfig(enabled=term),
        text=TextEncoderConfig(enabled=text, share=1.0, hidden_dim=16, num_layers=1, num_heads=2),
        **settings,
    )


def network(term=True, text=True, **settings):
    torch.manual_seed(0)
    return TowerNetwork.build(config(term, text, **settings), featuriser(term, text)).eval()


@torch.no_grad()
@pytest.mark.parametrize(("term", "text"), [(True, True), (True, False), (False, True)])
@pytest.mark.parametrize("fusion", ["post", "concat"])
def test_parts_that_are_off_give_their_dimensions_to_the_others(term, text, fusion):
    towers = network(term, text, fusion=fusion)
    assert isinstance(towers.fusion, PostFusion if fusion == "post" else ConcatFusion)
    assert (towers.term is not None, towers.text is not None) == (term, text)
    batch = feature_batch(featuriser(term, text).products(PRODUCTS), CPU)
    parts = towers.parts(batch)
    assert sum(part.shape[1] for part in parts.values()) == 12
    assert {name: part.shape[1] for name, part in parts.items()} == config(term, text).part_dims()
    for part in parts.values():
        torch.testing.assert_close(part.norm(dim=1), torch.ones(5))
    assert towers.product(batch).shape == towers.query(batch).shape == (5, 12)


@torch.no_grad()
def test_query_and_product_share_their_parts():
    towers = network()
    made = featuriser()
    queries = towers.parts(feature_batch(made.queries(pa.array(["red hat"])), CPU))
    products = towers.parts(feature_batch(made.products(PRODUCTS.slice(4, 1)), CPU))
    for name in ("term", "text"):
        torch.testing.assert_close(queries[name], products[name])


def test_a_batch_of_features_keeps_their_rows():
    features = featuriser().products(PRODUCTS)
    batch = feature_batch(features, CPU)
    assert batch.terms.offsets.tolist() == features.terms.offsets.tolist()
    assert batch.tokens.real.sum(1).tolist() == features.tokens.length.tolist()
    assert feature_batch(featuriser(text=False).products(PRODUCTS), CPU).tokens is None
    assert feature_batch(featuriser(term=False).products(PRODUCTS), CPU).terms is None


@torch.no_grad()
def test_features_that_are_mapped_from_disk_are_encoded_alike(tmp_path):
    features, towers = featuriser().products(PRODUCTS), network()
    write_features(features, tmp_path)
    mapped = read_features(tmp_path)
    rows = np.array([4, 1])
    expected = towers.product(feature_batch(features, CPU))
    torch.testing.assert_close(towers.product(feature_batch(mapped, CPU)), expected)
    torch.testing.assert_close(towers.product(feature_batch(mapped.take(rows), CPU)), expected[rows])


def test_every_part_learns_from_a_score():
    towers, made = network(), featuriser()
    query = towers.query(feature_batch(made.queries(pa.array(["red shoe", ""])), CPU))
    product = towers.product(feature_batch(made.products(PRODUCTS.slice(1, 2)), CPU))
    (query * product).sum().backward()
    for name, parameter in towers.named_parameters():
        assert parameter.grad is not None, name


@pytest.mark.parametrize(("term", "text"), [(True, False), (False, True)])
def test_a_part_without_features_is_refused(term, text):
    with pytest.raises(ModelError, match=r"must have its features\. Received: parts=\['term', 'text'\], features=\['"):
        TowerNetwork.build(config(), featuriser(term, text))


def test_features_of_a_part_that_is_off_are_left_alone():
    towers = TowerNetwork.build(config(text=False), featuriser())
    assert list(towers.parts(feature_batch(featuriser().products(PRODUCTS), CPU))) == ["term"]


def test_settings_that_do_not_hold_are_refused():
    with pytest.raises(ConfigError, match="At least one part"):
        TowerNetwork.build(config(term=False, text=False), featuriser())
    heads = TowerConfig(text=TextEncoderConfig(enabled=True, hidden_dim=16, num_heads=3))
    with pytest.raises(ConfigError, match="multiple of"):
        TowerNetwork.build(heads, featuriser())


# The text part's dimensions, and so those of the rows of queries (term and text) and products (context too).
DIMS = {"term": 12, "text": 12, "graph": 6, "context": 6}
WORDS, ROWS = 24, 5


def full_config(*, fusion="post", pooling="mean", off=(), text_queries=True):
    channels = {
        "graph": GraphEncoderConfig(share=0.5, pooling=pooling, enabled=False if "graph" in off else None),
        "context": ContextEncoderConfig(share=0.5, enabled=False if "context" in off else None),
        "history": HistoryEncoderConfig(dim=8, enabled=False if "history" in off else None),
    }
    built = replace(config(fusion=fusion), embedding_dim=36, **channels).with_data(LOG_CHANNELS)
    return replace(built, text=replace(built.text, queries=text_queries))


def full_featuriser():
    products = PRODUCTS.append_column("brand", pa.array(["Acme", "Acme", None, "Belmora", "Belmora"]))
    context = ContextFeaturiser.fit(products, ContextConfig(), locations=pa.array(["de", "de"]))
    return Featuriser.fit(products, CONFIG, context=context)


FULL = full_featuriser()


def full_network(*, trained=False, **settings):
    torch.manual_seed(0)
    built = TowerNetwork.build(full_config(**settings), FULL).eval()
    if trained:
        with torch.no_grad():
            for parameter in built.fusion.parameters():
                parameter.add_(torch.randn_like(parameter) * 0.3)
    return built


def query_side(*, known=True, words=WORDS, products=WORDS + DIMS["context"]):
    batch = feature_batch(
        FULL.queries(pa.array(["red", "hat", "", "blue", "dress"]), locations=pa.array(["de"] * ROWS)), CPU
    )
    if not known:
        return replace(batch, context=None)
    torch.manual_seed(3)
    real = torch.ones(ROWS, 3, dtype=torch.bool)
    history = HistoryBatch(
        query=torch.randn(ROWS, 3, words),
        query_known=real,
        product=torch.randn(ROWS, 3, products),
        product_known=real,
        stage=torch.ones(ROWS, 3, dtype=torch.int64),
        age_s=torch.rand(ROWS, 3) * 1e5,
        real=real,
    )
    neighbours = NeighbourBatch(torch.randn(ROWS, 3, products), torch.rand(ROWS, 3), real)
    return replace(batch, neighbours=neighbours, history=history)


def product_side(*, known=True, words=WORDS):
    batch = feature_batch(FULL.products(PRODUCTS), CPU)
    torch.manual_seed(4)
    real = torch.ones(ROWS, 3, dtype=torch.bool)
    neighbours = NeighbourBatch(torch.randn(ROWS, 3, words), torch.rand(ROWS, 3), real)
    return replace(batch, neighbours=neighbours) if known else batch


@torch.no_grad()
@pytest.mark.parametrize("fusion", ["post", "concat"])
@pytest.mark.parametrize("pooling", ["mean", "attention"])
@pytest.mark.parametrize("known", [True, False])
def test_all_parts_and_channels_have_unit_length_whatever_is_known(fusion, pooling, known):
    towers = full_network(fusion=fusion, pooling=pooling)
    parts, channels = towers.parts(product_side(known=known)), towers.channels(query_side(known=known))
    assert {name: part.shape[1] for name, part in parts.items()} == DIMS
    assert list(channels) == [*DIMS, "history"]
    for vectors in (*parts.values(), *channels.values()):
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(ROWS))
    assert towers.query(query_side(known=known)).shape == towers.product(product_side(known=known)).shape == (ROWS, 36)


@torch.no_grad()
def test_at_the_start_the_score_is_the_mean_of_what_the_parts_say():
    towers, queries, products = full_network(), query_side(), product_side()
    channels, parts = towers.channels(queries), towers.parts(products)
    expected = sum((channels[name] * parts[name]).sum(1) for name in DIMS) / 4
    torch.testing.assert_close((towers.query(queries) * towers.product(products)).sum(1), expected)


@torch.no_grad()
@pytest.mark.parametrize("off", [("graph",), ("context",), ("history",), LOG_CHANNELS])
def test_a_channel_that_is_off_is_not_there_and_its_dimensions_go_to_the_others(off):
    towers = full_network(off=off)
    assert [name for name in LOG_CHANNELS if getattr(towers, name) is None] == list(off)
    words, products = table_dims(full_config(off=off))
    assert towers.query(query_side(words=words, products=products)).shape == (ROWS, 36)
    assert towers.product(product_side(words=words)).shape == (ROWS, 36)
    assert set(towers.parts(product_side(words=words))) == set(DIMS) - set(off)
    assert towers.reads_tables == (off != LOG_CHANNELS)


@torch.no_grad()
@pytest.mark.parametrize("fusion", ["post", "concat"])
@pytest.mark.parametrize("name", ["neighbours", "history", "context"])
def test_every_channel_changes_the_query_once_trained(fusion, name):
    towers = full_network(trained=True, fusion=fusion)
    with_it, without = query_side(), replace(query_side(), **{name: None})
    assert not torch.allclose(towers.query(with_it), towers.query(without), atol=1e-3)


@pytest.mark.parametrize("fusion", ["post", "concat"])
def test_everything_learns_from_a_score_of_all_channels(fusion):
    towers = full_network(trained=True, fusion=fusion, pooling="attention")
    for known in (True, False):
        (towers.query(query_side(known=known)) * towers.product(product_side(known=known))).sum().backward()
    for name, parameter in towers.named_parameters():
        # Nothing here is without n-grams of both sides; `missing` of the term part has its own test.
        assert parameter.grad is not None or name == "term.missing", name


@torch.no_grad()
def test_rows_of_the_vector_tables_hold_neither_graph_nor_history():
    towers = full_network()
    for known in (True, False):
        queries, products = query_side(known=known), product_side(known=known)
        words = towers.words(queries)
        torch.testing.assert_close(towers.query_row(queries), torch.cat([words["term"], words["text"]], dim=1))
        parts = towers.parts(products)
        expected = torch.cat([parts[name] for name in ("term", "text", "context")], dim=1)
        torch.testing.assert_close(towers.product_row(products), expected)


def test_a_context_part_needs_its_features():
    with pytest.raises(ModelError, match=r"must have its features.*features=\['term', 'text'\]"):
        TowerNetwork.build(full_config(), featuriser())


@torch.no_grad()
def test_the_past_of_the_actor_is_where_the_context_of_a_search_starts():
    towers, known = full_network(), query_side()
    past = known.history.product[..., -DIMS["context"] :].mean(1)
    place = towers.context.table(known.context[:, 0], torch.arange(ROWS + 1))
    torch.testing.assert_close(towers.channels(known)["context"], normalize(place + past, dim=1))
    alone = full_network(off=("history",))
    assert alone.context.past is None


@torch.no_grad()
@pytest.mark.parametrize("fusion", ["post", "concat"])
@pytest.mark.parametrize("known", [True, False])
def test_a_query_that_the_transformer_does_not_read(fusion, known):
    towers = full_network(trained=True, fusion=fusion, pooling="attention", text_queries=False)
    assert table_dims(full_config(text_queries=False)) == (12, 30)
    # Its tokens change nothing, even where they are made.
    queries = query_side(known=known, words=12, products=30)
    without = replace(queries, tokens=None)
    assert torch.equal(towers.query(queries), towers.query(without))
    assert list(towers.channels(queries)) == ["term", "graph", "context", "history"]
    products = product_side(known=known, words=12)
    assert set(towers.parts(products)) == set(DIMS)
    assert towers.query(queries).shape == towers.product(products).shape == (ROWS, 36)
    assert not torch.allclose(
        towers.product(products), towers.product(replace(products, tokens=other_tokens(products)))
    )


def other_tokens(batch):
    return replace(batch.tokens, ids=batch.tokens.ids.flip(0), real=batch.tokens.real.flip(0))


@torch.no_grad()
def test_rows_of_queries_hold_what_reads_queries_and_products_begin_with_it():
    towers, products = full_network(text_queries=False), product_side(words=12)
    term = towers.words(products)["term"]
    torch.testing.assert_close(towers.query_row(products), term)
    assert towers.product_row(products).shape == (ROWS, 30)
    torch.testing.assert_close(towers.product_row(products)[:, :12], term)


def test_features_of_queries_are_needed_where_the_transformer_reads_them():
    made = Featuriser.fit(PRODUCTS, CONFIG, text_queries=False)
    with pytest.raises(ModelError, match="must have features of them"):
        TowerNetwork.build(config(), made)


def frozen_network(tiny_encoder, **settings):
    text = TextEncoderConfig(init=str(tiny_encoder), frozen=True)
    made = Featuriser.fit(PRODUCTS, CONFIG, checkpoint=str(tiny_encoder))
    torch.manual_seed(0)
    return made, TowerNetwork.build(replace(config(**settings), text=text), made).eval()


@torch.no_grad()
@pytest.mark.parametrize("fusion", ["post", "concat"])
def test_stored_vectors_encode_as_the_tokens_do(tiny_encoder, fusion):
    made, towers = frozen_network(tiny_encoder, fusion=fusion)
    batch = feature_batch(made.products(PRODUCTS), CPU)
    stored = replace(batch, tokens=None, pooled=normalize(towers.text.pooled(batch.tokens)))
    for encode in (towers.query, towers.product, towers.query_row, towers.product_row):
        torch.testing.assert_close(encode(stored), encode(batch), atol=1e-5, rtol=0)


def test_what_a_training_learns_leaves_out_a_frozen_transformer(tiny_encoder):
    _, towers = frozen_network(tiny_encoder)
    learnt = {name: value.clone() for name, value in towers.learnt_state().items()}
    assert "text.projection.weight" in learnt
    left_out = towers.state_dict().keys() - learnt.keys()
    assert left_out == {name for name in towers.state_dict() if name.startswith("text.transformer.")} != set()
    before = {name: value.clone() for name, value in towers.state_dict().items()}
    with torch.no_grad():
        towers.text.projection.weight.zero_()
    towers.load_learnt_state(learnt)
    for name, value in towers.state_dict().items():
        assert torch.equal(value, before[name]), name
    with pytest.raises(RuntimeError, match=r"text\.projection\.weight"):
        towers.load_learnt_state({name: value for name, value in learnt.items() if "projection" not in name})
    assert network().learnt_state().keys() == network().state_dict().keys()
