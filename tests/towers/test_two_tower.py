import json
import shutil
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from aisle.core.errors import ModelError, ShapeError
from aisle.encoders import GraphEncoderConfig, HistoryEncoderConfig, TermEncoderConfig, TextEncoderConfig
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
QUERIES = ["red", "", "a dress, blue", "连衣裙", "unheard-of"]
FEATURES = FeatureConfig(
    term=TermConfig(num_buckets=300), tokens=TokenConfig(max_query_tokens=6, max_product_tokens=8, vocabulary_size=300)
)


def build(*, term=True, text=True, init=None, fusion="post"):
    torch.manual_seed(0)
    config = TowerConfig(
        embedding_dim=12,
        fusion=fusion,
        term=TermEncoderConfig(enabled=term),
        text=TextEncoderConfig(enabled=text, init=init, hidden_dim=16, num_layers=1, num_heads=2),
    )
    featuriser = Featuriser.fit(PRODUCTS, FEATURES, term=term, text=text, checkpoint=init)
    network = TowerNetwork.build(config, featuriser)
    with torch.no_grad():
        for parameter in network.fusion.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return TwoTower(featuriser, network, config)


MODEL = build()


@pytest.fixture
def saved(tmp_path):
    MODEL.save(tmp_path)
    return tmp_path


def assert_close(found, expected):
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("fusion", ["post", "concat"])
@pytest.mark.parametrize(("term", "text"), [(True, True), (True, False), (False, True)])
def test_texts_and_products_become_vectors_of_one_space(term, text, fusion):
    model = build(term=term, text=text, fusion=fusion)
    queries, products = model.encode_queries(QUERIES), model.encode_products(PRODUCTS)
    assert queries.shape == (5, 12)
    assert products.shape == (7, 12)
    assert (queries.dtype, products.dtype, model.embedding_dim) == (np.float32, np.float32, 12)
    num_parts = 1 if fusion == "concat" else term + text
    np.testing.assert_allclose(np.linalg.norm(products, axis=1), num_parts**0.5, rtol=1e-5)
    assert len(np.unique(products.round(4), axis=0)) == 7


def test_nothing_is_encoded_to_nothing():
    assert MODEL.encode_queries([]).shape == (0, 12)
    assert MODEL.encode_products(PRODUCTS.slice(0, 0)).shape == (0, 12)


def test_features_made_before_give_the_same_vectors():
    assert_close(
        MODEL.encode_query_features(MODEL.featuriser.queries(pa.array(QUERIES))), MODEL.encode_queries(QUERIES)
    )
    assert_close(MODEL.encode_product_features(MODEL.featuriser.products(PRODUCTS)), MODEL.encode_products(PRODUCTS))


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(len(TITLES))), block=st.integers(1, 4))
def test_a_product_has_the_same_vector_in_any_order_and_any_block(order, block):
    expected = MODEL.encode_products(PRODUCTS)
    with patch.object(two_tower, "_ROWS_AT_ONCE", block):
        assert_close(MODEL.encode_products(PRODUCTS.take(pa.array(order))), expected[order])


def test_a_query_has_the_same_vector_alone():
    for text, vector in zip(QUERIES, MODEL.encode_queries(QUERIES), strict=True):
        assert_close(MODEL.encode_queries([text])[0], vector)


def test_drop_out_is_off_whatever_state_the_network_was_in():
    expected = MODEL.encode_queries(QUERIES)
    MODEL.network.train()
    assert_close(MODEL.encode_queries(QUERIES), expected)


@pytest.mark.parametrize("fusion", ["post", "concat"])
@pytest.mark.parametrize(("term", "text"), [(True, True), (True, False), (False, True)])
def test_a_saved_model_gives_the_same_vectors(tmp_path, term, text, fusion):
    model = build(term=term, text=text, fusion=fusion)
    model.save(tmp_path)
    loaded = TwoTower.load(tmp_path)
    assert loaded.config == model.config
    assert not loaded.network.training
    np.testing.assert_array_equal(loaded.encode_queries(QUERIES), model.encode_queries(QUERIES))
    np.testing.assert_array_equal(loaded.encode_products(PRODUCTS), model.encode_products(PRODUCTS))


def test_a_model_saved_again_is_the_same_to_the_byte(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    MODEL.save(tmp_path / "a")
    TwoTower.load(tmp_path / "a").save(tmp_path / "b")
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["config.json", "idf.npy", "model.safetensors", "query.onnx", "tokenizer.json"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_bfloat16_rounds_the_text_part_alone_until_it_is_switched_off(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)
    model = build()
    exact = model.encode_products(PRODUCTS)
    model.use_bf16(True)
    rounded = model.encode_products(PRODUCTS)
    assert rounded.dtype == np.float32
    term = model.config.part_dims()["term"]
    assert_close(rounded[:, :term], exact[:, :term])
    assert not np.array_equal(rounded[:, term:], exact[:, term:])
    cosine = (rounded * exact).sum(axis=1) / np.linalg.norm(rounded, axis=1) / np.linalg.norm(exact, axis=1)
    assert cosine.min() > 0.999
    model.save(tmp_path)
    assert_close(TwoTower.load(tmp_path).encode_products(PRODUCTS), exact)
    model.use_bf16(False)
    assert np.array_equal(model.encode_products(PRODUCTS), exact)


@pytest.mark.slow
def test_a_model_with_a_checkpoint_needs_only_its_own_folder(tmp_path, minilm):
    checkpoint, folder = tmp_path / "checkpoint", tmp_path / "model"
    shutil.copytree(minilm, checkpoint)
    folder.mkdir()
    model = build(init=str(checkpoint))
    model.save(folder)
    expected = model.encode_queries(QUERIES), model.encode_products(PRODUCTS)
    shutil.rmtree(checkpoint)
    loaded = TwoTower.load(folder)
    assert_close(loaded.encode_queries(QUERIES), expected[0])
    assert_close(loaded.encode_products(PRODUCTS), expected[1])
    (folder / "transformer" / "config.json").unlink()
    with pytest.raises(ModelError, match="must hold its architecture"):
        TwoTower.load(folder)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("config.json", r"must hold config\.json.*Name the folder that `aisle train` wrote"),
        ("model.safetensors", "weights must fit"),
        ("idf.npy", "inverse document frequency"),
        ("tokenizer.json", "must hold its tokenizer"),
    ],
)
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "noise"])
def test_a_file_that_is_missing_or_damaged_is_refused(saved, name, message, damage):
    path = saved / name
    content = path.read_bytes()
    path.unlink()
    noise = np.random.default_rng(0).bytes(500)
    if damage != "missing":
        path.write_bytes({"empty": b"", "truncated": content[: len(content) // 2], "noise": noise}[damage])
    with pytest.raises(ModelError, match=message):
        TwoTower.load(saved)


@pytest.mark.parametrize("kept", [4, 7, 8, 100, -1])
def test_weights_cut_off_anywhere_are_refused(saved, kept):
    path = saved / "model.safetensors"
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match="weights must fit"):
        TwoTower.load(saved)


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: weights.popitem(),
        lambda weights: weights.update(extra=torch.zeros(1)),
        lambda weights: weights.update({"term.missing": torch.zeros(7)}),
    ],
)
def test_weights_of_another_model_are_refused(saved, change):
    weights = load_file(saved / "model.safetensors")
    change(weights)
    save_file(weights, saved / "model.safetensors")
    with pytest.raises(ModelError, match=r"weights must fit the model's config.*Train the model again"):
        TwoTower.load(saved)


def rewrite(folder, change):
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize("version", [0, 2, None, "1"])
def test_another_format_is_refused(saved, version):
    rewrite(saved, lambda config: config.update(format=version))
    with pytest.raises(ModelError, match=rf"must be of format 1\. Received: format={version!r}"):
        TwoTower.load(saved)


def test_another_feature_spec_is_refused_before_its_settings_are_read(saved):
    rewrite(saved, lambda config: config["features"].update(version=99, config={"settings": "of tomorrow"}))
    with pytest.raises(ModelError, match=r"feature spec must be of version \d+\. Received: version=99"):
        TwoTower.load(saved)


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config.pop("towers"),
        lambda config: config.pop("features"),
        lambda config: config["features"].pop("config"),
        lambda config: config["features"].pop("term"),
        lambda config: config.update(features=[]),
        lambda config: config.update(towers=3),
        lambda config: config["towers"].update(embedding_dim=0),
        lambda config: config["towers"].update(wings=2),
        lambda config: config["towers"]["text"].update(num_heads=3),
        lambda config: config["features"]["config"]["term"].update(stemmer="klingon"),
    ],
)
def test_a_config_that_was_changed_is_refused(saved, change):
    rewrite(saved, change)
    with pytest.raises(ModelError, match=r"config\.json of a model must be as it was saved.*Train the model again"):
        TwoTower.load(saved)


@pytest.mark.parametrize(
    "change",
    [
        lambda config: config["features"]["config"]["term"].update(num_buckets=301),
        lambda config: config["features"].update(term=False),
        lambda config: config["towers"].update(embedding_dim=14),
        lambda config: config["towers"].update(fusion="concat"),
        lambda config: config["towers"]["text"].update(enabled=False),
    ],
)
def test_a_config_that_does_not_fit_the_files_is_refused(saved, change):
    rewrite(saved, change)
    with pytest.raises(ModelError):
        TwoTower.load(saved)


@pytest.mark.parametrize("text", ["[]", "3", "null", "{", "[" * 100_000, '{"towers": {}}'])
def test_a_config_that_is_none_is_refused(saved, text):
    (saved / "config.json").write_text(text)
    with pytest.raises(ModelError, match=r"must hold config\.json"):
        TwoTower.load(saved)


def test_a_folder_that_is_missing_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"must hold config\.json\. Received: model='.*none'"):
        TwoTower.load(tmp_path / "none")


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


def test_a_model_without_channels_reads_none_of_them():
    known = MODEL.encode_queries(TEXTS, context=CONTEXT)
    np.testing.assert_array_equal(known, MODEL.encode_queries(TEXTS))


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
