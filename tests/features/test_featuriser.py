import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.config import config_from_dict
from aisle.core.errors import ModelError
from aisle.features import ContextFeaturiser, FeatureConfig, Featuriser, TermConfig, TokenConfig
from aisle.features.featuriser import SPEC_VERSION, check_spec_version

CONFIG = FeatureConfig(
    term=TermConfig(num_buckets=200, max_product_ngrams=12),
    tokens=TokenConfig(max_query_tokens=6, max_product_tokens=8, vocabulary_size=300),
)
SCHEMA = pa.schema(
    {
        "title": pa.string(),
        "brand": pa.string(),
        "category": pa.list_(pa.string()),
        "attributes": pa.map_(pa.string(), pa.string()),
    }
)
TEXT = st.text(st.sampled_from("red 红色-1"), max_size=10)
ROW = st.fixed_dictionaries(
    {
        "title": TEXT,
        "brand": st.none() | TEXT,
        "category": st.none() | st.lists(TEXT, max_size=2),
        "attributes": st.none() | st.lists(st.tuples(st.just("k"), TEXT), max_size=2),
    }
)
PRODUCTS = pa.Table.from_pylist(
    [
        {"title": "red shoe", "brand": "Acme", "category": ["Shoes"], "attributes": [("colour", "red")]},
        {"title": "blue dress", "brand": None, "category": None, "attributes": None},
        {"title": "红色 连衣裙"},
    ],
    schema=SCHEMA,
)
FITTED = Featuriser.fit(PRODUCTS, CONFIG)


def assert_same(found, expected):
    assert len(found) == len(expected)
    for part in ("terms", "tokens", "context"):
        assert (getattr(found, part) is None) == (getattr(expected, part) is None)
        if getattr(found, part) is None:
            continue
        for name, array in vars(getattr(expected, part)).items():
            np.testing.assert_array_equal(getattr(getattr(found, part), name), array)


@settings(max_examples=40, deadline=None)
@given(st.lists(ROW, max_size=6), st.data())
def test_rows_of_a_catalogue_have_the_features_that_they_have_alone(rows, data):
    table = pa.Table.from_pylist(rows, schema=SCHEMA)
    whole = FITTED.products(table)
    assert len(whole) == len(rows)
    for number, row in enumerate(rows):
        alone = FITTED.products(pa.Table.from_pylist([row], schema=SCHEMA)).take(np.array([0]))
        assert_same(alone, whole.take(np.array([number])))
    begin = data.draw(st.integers(0, len(rows)))
    wanted = np.arange(begin, len(rows))
    assert_same(FITTED.products(table.slice(begin)).take(wanted - begin), whole.take(wanted))


def test_a_query_that_is_a_title_has_the_ngrams_of_the_title():
    fitted = Featuriser.fit(PRODUCTS, FeatureConfig(), text=False)
    query = fitted.queries(pa.array(["Red  SHOE"]))
    product = fitted.products(pa.table({"title": ["red shoe"]}))
    assert query.terms.bucket.tolist() == product.terms.bucket.tolist()
    np.testing.assert_array_equal(query.terms.weight, product.terms.weight)


@pytest.mark.parametrize(("term", "text"), [(True, False), (False, True), (True, True)])
def test_a_part_that_is_off_has_no_features(term, text):
    fitted = Featuriser.fit(PRODUCTS, CONFIG, term=term, text=text)
    for features in (fitted.products(PRODUCTS), fitted.queries(pa.array(["red", "a", "b"]))):
        assert (features.terms is not None, features.tokens is not None) == (term, text)
        assert len(features) == 3
        assert len(features.take(np.array([1, 1]))) == 2
    assert (fitted.spec()["term"], fitted.spec()["text"]) == (term, text)


def test_one_part_must_be_on():
    with pytest.raises(ModelError, match=r"At least one part must be on\. Set term\.enabled or text\.enabled"):
        Featuriser.fit(PRODUCTS, CONFIG, term=False, text=False)


def test_an_empty_catalogue_can_be_fitted():
    assert len(Featuriser.fit(PRODUCTS.slice(0, 0), CONFIG).products(PRODUCTS)) == 3


def test_a_vocabulary_is_learnt_from_products_drawn_evenly():
    titles = ["aa", "bb", "cc", "dd", "ee"]
    config = FeatureConfig(tokens=CONFIG.tokens, sample_size=3)
    fitted = Featuriser.fit(pa.table({"title": titles}), config, term=False)
    vocabulary = fitted.tokens.tokenizer.get_vocab()
    assert [title for title in titles if title[0] in vocabulary] == ["aa", "cc", "ee"]


def test_a_checkpoint_s_tokenizer_is_taken(minilm):
    fitted = Featuriser.fit(PRODUCTS, CONFIG, term=False, checkpoint=str(minilm))
    assert fitted.tokens.vocabulary_size == 30_522


def test_a_context_part_reads_the_fields_of_products_and_the_places_of_queries():
    context = ContextFeaturiser.fit(PRODUCTS, CONFIG.context, locations=pa.array(["de", "de"]))
    fitted = Featuriser.fit(PRODUCTS, CONFIG, context=context)
    products, queries = fitted.products(PRODUCTS), fitted.queries(pa.array(["red"]), locations=pa.array(["DE"]))
    np.testing.assert_array_equal(products.context.ids, context.products(PRODUCTS).ids)
    np.testing.assert_array_equal(queries.context.ids, context.searches(1, locations=pa.array(["de"])).ids)
    assert len(products.take(np.array([2, 0])).context) == 2
    assert fitted.spec()["context"]
    assert FITTED.products(PRODUCTS).context is None


def test_a_spec_from_before_the_context_part_is_read(tmp_path):
    FITTED.save(tmp_path)
    spec = {name: value for name, value in FITTED.spec().items() if name != "context"}
    assert Featuriser.load(tmp_path, spec, CONFIG).context is None


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"text": False},
        {"term": False},
        {"text_queries": False},
        {"context": ContextFeaturiser.fit(PRODUCTS, CONFIG.context)},
    ],
)
def test_a_saved_featuriser_gives_the_same_features(tmp_path, parts):
    fitted = Featuriser.fit(PRODUCTS, CONFIG, **parts)
    fitted.save(tmp_path)
    spec = json.loads(json.dumps(fitted.spec()))
    loaded = Featuriser.load(tmp_path, spec, config_from_dict(FeatureConfig, spec["config"]))
    assert loaded.spec() == fitted.spec()
    assert_same(loaded.products(PRODUCTS), fitted.products(PRODUCTS))
    assert_same(loaded.queries(pa.array(["red dress"])), fitted.queries(pa.array(["red dress"])))


@pytest.mark.parametrize("version", [SPEC_VERSION + 1, None, "1"])
def test_a_spec_of_another_version_is_refused(tmp_path, version):
    with pytest.raises(
        ModelError, match=rf"feature spec must be of version {SPEC_VERSION}\. Received: version={version!r}"
    ):
        Featuriser.load(tmp_path, FITTED.spec() | {"version": version}, CONFIG)
    with pytest.raises(ModelError, match="Train the model again with this version"):
        check_spec_version({}, tmp_path)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_bytes(b""), "EOF"),
        (lambda path: path.write_bytes(path.read_bytes()[:-4]), ""),
        (lambda path: np.save(path, np.ones(3, np.float32)), r"float32 of shape \(3,\), where .* 6400 slots"),
        (lambda path: np.save(path, np.ones(6400)), "float64"),
        (lambda path: np.save(path, np.array([object()] * 6400), allow_pickle=True), "pickle|Object"),
    ],
)
def test_document_frequencies_that_cannot_be_read_are_refused(tmp_path, damage, problem):
    FITTED.save(tmp_path)
    damage(tmp_path / "idf.npy")
    with pytest.raises(ModelError, match=rf"inverse document frequency of every slot.*{problem}"):
        Featuriser.load(tmp_path, FITTED.spec(), CONFIG)


def test_a_missing_tokenizer_is_refused(tmp_path):
    FITTED.save(tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="must hold its tokenizer"):
        Featuriser.load(tmp_path, FITTED.spec(), CONFIG)


def test_text_of_products_alone_has_no_tokens_of_queries(tmp_path):
    fitted = Featuriser.fit(PRODUCTS, CONFIG, text_queries=False)
    assert fitted.queries(pa.array(["red dress"])).tokens is None
    assert fitted.queries(pa.array(["red dress"])).terms is not None
    assert_same(fitted.products(PRODUCTS), FITTED.products(PRODUCTS))
    FITTED.save(tmp_path)
    before = {name: value for name, value in FITTED.spec().items() if name != "text_queries"}
    assert Featuriser.load(tmp_path, before, CONFIG).text_queries
