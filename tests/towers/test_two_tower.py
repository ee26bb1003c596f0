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

from aisle.core.errors import ModelError
from aisle.encoders import TermEncoderConfig, TextEncoderConfig
from aisle.features import (
    FeatureConfig,
    Featuriser,
    Histories,
    Neighbours,
    TermConfig,
    TokenConfig,
)
from aisle.towers import QueryContext, TowerConfig, TowerNetwork, TwoTower, two_tower

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


def test_a_model_without_channels_reads_none_of_them():
    one = np.zeros((1, 1), np.int64)
    context = QueryContext(
        locations=["de"],
        neighbours=Neighbours(one, np.ones((1, 1), np.float32)),
        history=Histories(query_index=one, product_index=one, stage=one + 1, age_s=np.ones((1, 1), np.float32)),
    )
    known = MODEL.encode_queries(["red"], context=context)
    np.testing.assert_array_equal(known, MODEL.encode_queries(["red"]))
