from itertools import pairwise
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
import Stemmer
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.utils import murmurhash3_32

from aisle.core.text import words
from aisle.features import TermConfig, TermFeaturiser, Terms, terms
from aisle.features.terms import num_slots

FIELDS = ("title", "brand", "category", "attributes", "description")
TEXT = st.lists(st.sampled_from([*"aab红色 .'1é-Ω", "ies", "ing"]), max_size=12).map("".join)
ROWS = st.lists(st.tuples(*[TEXT] * len(FIELDS)), min_size=1, max_size=5)


def columns(rows):
    return {name: pa.array([row[place] for row in rows], pa.string()) for place, name in enumerate(FIELDS)}


def featuriser(config, seed=0):
    idf = np.random.default_rng(seed).uniform(1, 5, num_slots(config)).astype(np.float32)
    return TermFeaturiser(config, idf)


def weightless(config):
    """Return a featuriser for which all n-grams are known and equally rare."""
    return TermFeaturiser(config, np.ones(num_slots(config), np.float32))


def row_of(found, row):
    begin, end = found.offsets[row : row + 2]
    return dict(zip(found.bucket[begin:end].tolist(), found.weight[begin:end].tolist(), strict=True))


def word_slot(text, config):
    """Find the slot of a word, or of two neighbouring words with a space between."""
    slots = num_slots(config)
    left, *right = (abs(murmurhash3_32("\x02" + word)) % slots for word in text.split(" "))
    if not right:
        return left
    return ((left * slots + right[0]) * 0x9E3779B97F4A7C15 % 2**64 >> 32) % slots


def char_slots(word, config):
    ngrams = (config.min_char_ngram, config.max_char_ngram)
    hasher = HashingVectorizer(analyzer="char_wb", ngram_range=ngrams, n_features=num_slots(config), lowercase=False)
    return hasher.transform([word]).indices.tolist()


def word_bucket(text, config):
    return word_slot(text, config) % config.num_buckets


def char_buckets(word, config):
    return [slot % config.num_buckets for slot in char_slots(word, config)]


def slow_ngrams(row, config):
    """List (field, slot, weight, priority) of one product or query, by loops."""
    stem = str if config.stemmer is None else Stemmer.Stemmer(config.stemmer).stemWord
    for order, (name, text) in enumerate(row.items()):
        share = {"attributes": config.attribute_weight, "description": config.description_weight}.get(name, 1)
        found = words(text)
        stems = [stem(word) for word in found]
        for word in stems:
            yield order, word_slot(word, config), share, order
        for left, right in pairwise(stems):
            yield order, word_slot(f"{left} {right}", config), share * config.bigram_weight, order + 4
        for word in found:
            slots = char_slots(word, config)
            for slot in slots:
                yield order, slot, share * config.char_weight / len(slots), order + 5


def slow_row(row, config, idf, most):
    """Return (bucket, weight) of one row: the most telling n-gram of each field, added up over fields."""
    of_field = {}
    for field, slot, weight, priority in slow_ngrams(row, config):
        if weight > 0 and priority < of_field.get((field, slot), (99, 0))[0]:
            of_field[field, slot] = (priority, weight)
    weight, best = {}, {}
    for (_, slot), (priority, own) in of_field.items():
        weight[slot] = weight.get(slot, 0) + own
        best[slot] = min(best.get(slot, 99), priority)
    kept = sorted(best, key=lambda slot: (best[slot], slot))[:most]
    return [(slot % config.num_buckets, weight[slot] * idf[slot]) for slot in sorted(kept)]


def assert_same_row(terms, row, expected):
    begin, end = terms.offsets[row : row + 2]
    assert terms.bucket[begin:end].tolist() == [bucket for bucket, _ in expected]
    np.testing.assert_allclose(terms.weight[begin:end], [weight for _, weight in expected], rtol=1e-5)


def assert_same(found, expected):
    for name in ("offsets", "bucket", "weight"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), strict=True)


def test_a_query_holds_its_words_their_pairs_and_their_characters():
    config = TermConfig(min_char_ngram=3, max_char_ngram=3)
    found = weightless(config).queries(pa.array(["Red hat"]))
    row = row_of(found, 0)
    assert {row[word_bucket("red", config)], row[word_bucket("hat", config)]} == {1.0}
    assert row[word_bucket("red hat", config)] == 0.5
    # " re", "red", "ed " share the weight of the characters, and so do the three of "hat".
    for bucket in char_buckets("red", config) + char_buckets("hat", config):
        assert row[bucket] == pytest.approx(0.5 / 3)
    assert len(row) == 3 + 6


def test_types_are_those_of_the_arrays_on_disk():
    found = featuriser(TermConfig()).queries(pa.array(["red hat"]))
    assert (found.offsets.dtype, found.bucket.dtype, found.weight.dtype) == (np.int64, np.int32, np.float32)


def test_a_word_and_the_characters_of_a_short_word_keep_apart():
    config = TermConfig(min_char_ngram=2, max_char_ngram=8)
    assert word_bucket("ab", config) not in char_buckets("ab", config)


@settings(max_examples=60, deadline=None)
@given(
    rows=ROWS,
    num_buckets=st.sampled_from([2, 97, 131_072]),
    most=st.integers(1, 40),
    weights=st.tuples(*[st.sampled_from([0.0, 0.25, 1.0])] * 4),
    stemmer=st.sampled_from(["english", None]),
)
def test_products_agree_with_loops_over_sklearn_s_hasher(rows, num_buckets, most, weights, stemmer):
    names = ("char_weight", "bigram_weight", "attribute_weight", "description_weight")
    weighted = dict(zip(names, weights, strict=True))
    config = TermConfig(num_buckets=num_buckets, stemmer=stemmer, max_product_ngrams=most, **weighted)
    own = featuriser(config)
    found = own.products(columns(rows))
    assert len(found) == len(rows)
    for number, row in enumerate(rows):
        expected = slow_row(dict(zip(FIELDS, row, strict=True)), config, own.idf, most)
        assert_same_row(found, number, expected)


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=20), most=st.integers(1, 40))
def test_queries_agree_with_loops_over_sklearn_s_hasher(text, most):
    config = TermConfig(num_buckets=1000, max_query_ngrams=most)
    own = featuriser(config)
    assert_same_row(own.queries(pa.array([text])), 0, slow_row({"query": text}, config, own.idf, most))


def test_rare_ngrams_weigh_more():
    config = TermConfig()
    found = TermFeaturiser.fit(
        {"title": pa.array(["red red shoe", "red hat", "blue"]), "brand": pa.array(["", "red", ""])}, config
    )
    assert found.idf.dtype == np.float32
    for word, products in (("red", 2), ("shoe", 1), ("blue", 1)):
        assert found.idf[word_slot(word, config)] == pytest.approx(np.log(4 / (1 + products)) + 1)
    weight = row_of(found.queries(pa.array(["red shoe"])), 0)
    assert weight[word_bucket("shoe", config)] == pytest.approx(np.log(2) + 1)


def test_an_ngram_of_every_product_still_counts():
    config = TermConfig()
    found = TermFeaturiser.fit({"title": pa.array(["red", "red"])}, config)
    assert found.idf[word_slot("red", config)] == 1.0


def test_an_ngram_that_neither_a_product_nor_a_training_query_has_is_left_out():
    config = TermConfig(max_query_ngrams=3)
    titles = {"title": pa.array(["red shoe", "blue hat"])}
    asked = pa.array(["zzyzx zzyzx red"])
    without = row_of(TermFeaturiser.fit(titles, config).queries(asked), 0)
    assert without.keys() == {word_bucket("red", config), *char_buckets("red", config)[:2]}
    # As rare as can be: no product has it.
    known = TermFeaturiser.fit(titles, config, queries=pa.array(["zzyzx"]))
    assert row_of(known.queries(asked), 0)[word_bucket("zzyzx", config)] == pytest.approx(np.log(3) + 1)


def test_a_misspelt_word_keeps_the_characters_that_products_have():
    config = TermConfig()
    found = TermFeaturiser.fit({"title": pa.array(["dehumidifier", "kettle"])}, config)
    misspelt, right = (row_of(found.queries(pa.array([word])), 0) for word in ("dehmidifier", "dehumidifier"))
    assert misspelt.keys() < right.keys()
    assert len(misspelt) > len(right) / 2


def test_of_a_catalogue_without_products_nothing_is_known():
    found = TermFeaturiser.fit({"title": pa.array([], pa.string())}, TermConfig(num_buckets=8))
    assert found.idf.dtype == np.float32
    assert not found.idf.any()
    assert found.queries(pa.array(["red"])).offsets.tolist() == [0, 0]


def test_document_frequencies_do_not_depend_on_the_blocks_that_they_are_counted_in():
    fields = {"title": pa.array(["a b", "b c", "", "c", "a"])}
    whole = TermFeaturiser.fit(fields, TermConfig()).idf
    with patch.object(terms, "_ROWS_AT_ONCE", 2):
        np.testing.assert_array_equal(TermFeaturiser.fit(fields, TermConfig()).idf, whole)


def test_a_limit_keeps_words_by_field_then_pairs_then_characters():
    row = {"title": "ta tb", "brand": "ba", "category": "ca", "attributes": "aa", "description": "da"}
    expected = [{"ta", "tb"}, {"ba"}, {"ca"}, {"aa"}, {"ta tb", "da"}]
    fields = {name: pa.array([text]) for name, text in row.items()}
    kept_before = set()
    for most in range(1, 8):
        config = TermConfig(max_product_ngrams=most)
        kept = set(row_of(featuriser(config).products(fields), 0))
        assert len(kept) == most
        assert kept_before < kept
        kept_before = kept
        told = [{word_bucket(text, config) for text in group} for group in expected]
        number = 0
        for group in told:
            assert len(kept & group) == min(len(group), most - number)
            number += len(kept & group)
    characters = set(row_of(featuriser(TermConfig(max_product_ngrams=9)).products(fields), 0)) - kept_before
    assert characters < set(char_buckets("ta", config) + char_buckets("tb", config))


@pytest.mark.parametrize(("field", "share"), [("attributes", 0.25), ("description", 0.75), ("brand", 1.0)])
def test_attributes_and_description_weigh_less_and_fields_add_up(field, share):
    config = TermConfig(attribute_weight=0.25, description_weight=0.75)
    ones = weightless(config)
    row = row_of(ones.products({"title": pa.array(["red red"]), field: pa.array(["red hat"])}), 0)
    assert row[word_bucket("red", config)] == 1 + share
    assert row[word_bucket("hat", config)] == share
    assert row[word_bucket("red hat", config)] == share * config.bigram_weight


def test_inflections_share_words_and_pairs_but_not_characters():
    config = TermConfig()
    ones = weightless(config)
    many, one = (row_of(ones.queries(pa.array([text])), 0) for text in ("red batteries", "red battery"))
    shared = {word_bucket(text, config) for text in ("red", "batteri", "red batteri")}
    assert shared <= many.keys() & one.keys()
    assert set(char_buckets("batteries", config)) <= many.keys()
    assert not set(char_buckets("batteries", config)) <= one.keys()
    whole = row_of(featuriser(TermConfig(stemmer=None)).queries(pa.array(["red batteries"])), 0)
    assert word_bucket("batteries", config) in whole
    assert word_bucket("batteri", config) not in whole


def test_ngrams_of_weight_zero_are_not_there():
    config = TermConfig(char_weight=0, bigram_weight=0, attribute_weight=0, max_product_ngrams=3)
    fields = {"title": pa.array(["a", "!"]), "attributes": pa.array(["x y z", "x"]), "description": pa.array(["d", ""])}
    found = featuriser(config).products(fields)
    assert set(row_of(found, 0)) == {word_bucket("a", config), word_bucket("d", config)}
    assert row_of(found, 1) == {}
    assert (found.weight > 0).all()


@pytest.mark.parametrize("texts", [[], [""], ["", None, " !? "]])
def test_texts_without_words_are_empty_rows(texts):
    for found in (
        featuriser(TermConfig()).queries(pa.array(texts, pa.string())),
        featuriser(TermConfig()).products({"title": pa.array(texts, pa.string())}),
    ):
        assert found.offsets.tolist() == [0] * (len(texts) + 1)
        assert len(found) == len(texts)
        assert (found.bucket.dtype, found.weight.dtype) == (np.int32, np.float32)


@settings(max_examples=40, deadline=None)
@given(rows=ROWS, block=st.integers(1, 3))
def test_a_row_has_the_same_features_alone_in_a_batch_and_in_any_block(rows, block):
    own = featuriser(TermConfig(num_buckets=50, max_product_ngrams=9, max_query_ngrams=9))
    whole = own.products(columns(rows))
    queries = own.queries(columns(rows)["title"])
    with patch.object(terms, "_ROWS_AT_ONCE", block):
        assert_same(own.products(columns(rows)), whole)
        assert_same(own.queries(columns(rows)["title"]), queries)
    for number, row in enumerate(rows):
        assert_same(own.products(columns([row])), whole.take(np.array([number])))
        assert_same(own.queries(pa.array([row[0]])), queries.take(np.array([number])))


@given(rows=ROWS, block=st.integers(0, 4))
def test_slices_of_columns_have_the_features_of_their_rows(rows, block):
    own = featuriser(TermConfig(num_buckets=50))
    fields = {name: column.slice(min(block, len(rows))) for name, column in columns(rows).items()}
    assert_same(own.products(fields), own.products(columns(rows[block:])))


def test_rows_are_taken_in_the_order_asked_for():
    found = Terms(np.array([0, 2, 2, 3]), np.array([5, 6, 7], np.int32), np.array([1, 2, 3], np.float32))
    taken = found.take(np.array([2, 0, 1, 2]))
    assert taken.offsets.tolist() == [0, 1, 3, 3, 4]
    assert taken.bucket.tolist() == [7, 5, 6, 7]
    assert taken.weight.tolist() == [3, 1, 2, 3]
    assert len(found.take(np.empty(0, np.int64))) == 0
