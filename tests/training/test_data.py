import dataclasses

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.text import word_lists, words
from aisle.features import Featuriser, product_text
from aisle.measures import Qrels
from aisle.training import TrainingPairs
from aisle.training.data import word_matrix


def assert_same_features(found, expected):
    for part in ("terms", "tokens"):
        one, other = getattr(found, part), getattr(expected, part)
        assert (one is None) == (other is None), part
        for name, array in vars(other).items() if other is not None else ():
            np.testing.assert_array_equal(getattr(one, name), array, strict=True, err_msg=f"{part}.{name}")


def held_words(matrix, vocabulary):
    names = np.array(vocabulary)
    return [set(names[matrix[row].indices]) for row in range(matrix.shape[0])]


def test_what_was_written_is_read(data, featuriser, products, alias_pairs):
    assert_same_features(data.product_features, featuriser.products(products))
    assert_same_features(data.query_features, featuriser.queries(alias_pairs.queries))
    assert_same_features(data.validation.query_features, featuriser.queries(alias_pairs.queries))
    assert data.pairs.queries.equals(alias_pairs.queries)
    for name in ("query_index", "product_index", "weight"):
        np.testing.assert_array_equal(getattr(data.pairs, name), getattr(alias_pairs, name), strict=True)
    qrels = data.validation.qrels
    assert (qrels.num_queries, len(qrels.grade)) == (40, 120)
    # Every fourth pair weighs 1, the others 0.5; each query leads to three products in a row.
    assert qrels.product_index[:6].tolist() == [0, 1, 2, 3, 4, 5]
    assert qrels.grade[:6].tolist() == [1.0, 0.5, 0.5, 0.5, 1.0, 0.5]


def test_arrays_are_mapped_not_loaded(data):
    mapped = [
        *vars(data.product_features.terms).values(),
        *vars(data.query_features.tokens).values(),
        data.pairs.query_index,
        data.pairs.weight,
        data.validation.qrels.grade,
    ]
    assert all(isinstance(array, np.memmap) and not array.flags.writeable for array in mapped)


def test_words_are_those_of_the_queries(data, products, alias_pairs):
    vocabulary = word_lists(alias_pairs.queries).flatten().unique().to_pylist()
    assert held_words(data.query_words, vocabulary) == [set(words(text)) for text in alias_pairs.queries.to_pylist()]
    expected = [set(words(text)) & set(vocabulary) for text in product_text(products).joined().to_pylist()]
    assert held_words(data.product_words, vocabulary) == expected
    assert set(data.product_words.data.tolist()) == {1}


def test_parts_that_are_off_and_empty_pairs_stay_so(write_data, featuriser, products):
    terms_only = Featuriser(featuriser.config, featuriser.terms, None)
    none = TrainingPairs.from_texts(pa.array([], pa.string()), np.empty(0, np.int64), np.empty(0, np.float32))
    read = write_data(products=products.slice(0, 3), pairs=none, featuriser=terms_only)
    assert read.product_features.tokens is None
    assert (len(read.product_features), len(read.pairs), len(read.validation.query_features)) == (3, 0, 0)
    assert read.query_words.shape == (0, 0)
    assert read.product_words.shape == (3, 0)


def test_validation_queries_are_their_own(write_data, featuriser):
    qrels = Qrels.from_triples(
        query_index=np.array([1]), product_index=np.array([7]), grade=np.array([2.0]), num_queries=2
    )
    queries = pa.array(["something else", "blue lantern"])
    read = write_data(queries=queries, qrels=qrels)
    assert_same_features(read.validation.query_features, featuriser.queries(queries))
    assert read.validation.qrels.offsets.tolist() == [0, 0, 1]
    assert read.validation.qrels.grade.tolist() == [2.0]


def test_words_are_compared_by_the_stems_of_the_features(write_data, products, featuriser):
    """The query "red sofas" holds the words of a product that is titled "Red sofa", where features are stemmed."""
    pairs = TrainingPairs.from_texts(pa.array(["red sofas", "lighting"]), np.array([0, 1]), np.ones(2, np.float32))
    shop = pa.table({"product_id": ["a", "b"], "title": ["Red sofa", "Lights"]})
    shared = {}
    for stemmer in (None, "english"):
        config = dataclasses.replace(
            featuriser.config, term=dataclasses.replace(featuriser.config.term, stemmer=stemmer)
        )
        read = write_data(products=shop, pairs=pairs, featuriser=Featuriser.fit(shop, config, text=False))
        shared[stemmer] = (read.query_words @ read.product_words.T).toarray().tolist()
    assert shared == {None: [[1, 0], [0, 0]], "english": [[2, 0], [0, 1]]}


def test_word_matrix_by_eye():
    lists = pa.array([["b", "x", "a", "b"], [], ["x"]], pa.list_(pa.string()))
    assert word_matrix(lists, pa.array(["a", "b", "c"])).toarray().tolist() == [[1, 1, 0], [0, 0, 0], [0, 0, 0]]


@given(st.lists(st.lists(st.sampled_from("abcdef"), max_size=6), max_size=8), st.sets(st.sampled_from("abcxyz")))
def test_word_matrix_agrees_with_a_slow_one(lists, vocabulary):
    names = sorted(vocabulary)
    matrix = word_matrix(pa.array(lists, pa.list_(pa.string())), pa.array(names, pa.string()))
    expected = [[int(name in row) for name in names] for row in lists]
    assert matrix.shape == (len(lists), len(names))
    assert matrix.toarray().tolist() == expected
    assert np.diff(matrix.indptr).tolist() == [sum(row) for row in expected]


@pytest.mark.parametrize("start", [0, 1, 2])
def test_word_matrix_of_a_slice_is_a_slice_of_the_matrix(start):
    lists = pa.array([["a", "b"], ["b"], ["c", "a"]])
    vocabulary = pa.array(["a", "b", "c"])
    np.testing.assert_array_equal(
        word_matrix(lists.slice(start), vocabulary).toarray(), word_matrix(lists, vocabulary).toarray()[start:]
    )
