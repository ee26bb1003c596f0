import numpy as np
import pyarrow as pa
import pytest
import Stemmer
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.text import words
from aisle.features import ProductText
from aisle.training import TrainingPairs, validation_sets
from aisle.training.validation_sets import qrels_of_matches, qrels_of_pairs, spread


def rows_of(qrels):
    """List (product, grade) of every query."""
    bounds = zip(qrels.offsets[:-1], qrels.offsets[1:], strict=True)
    return [
        list(zip(qrels.product_index[begin:end].tolist(), qrels.grade[begin:end].tolist(), strict=True))
        for begin, end in bounds
    ]


def texts_of(titles, brands=None):
    empty = pa.array([""] * len(titles), pa.string())
    brand = empty if brands is None else pa.array(brands, pa.string())
    return ProductText(pa.array(titles, pa.string()), brand, empty, empty, empty)


def test_matches_are_the_products_that_hold_all_words_in_any_field():
    texts = texts_of(["Red sofa", "red lamp", "SOFA"], brands=["acme", "sofa", "red"])
    queries = pa.array(["red sofa", "acme", "sofa sofa red", "green", "!?"])
    assert rows_of(qrels_of_matches(queries, texts)) == [
        [(0, 1.0), (1, 1.0), (2, 1.0)],
        [(0, 1.0)],
        [(0, 1.0), (1, 1.0), (2, 1.0)],
        [],
        [],
    ]


def test_matches_are_compared_by_stem():
    texts = texts_of(["Red sofa", "Running shoes"])
    queries = pa.array(["red sofas", "shoe", "runs"])
    assert rows_of(qrels_of_matches(queries, texts, stemmer="english")) == [[(0, 1.0)], [(1, 1.0)], [(1, 1.0)]]
    assert rows_of(qrels_of_matches(queries, texts, stemmer=None)) == [[], [], []]


@pytest.mark.parametrize(("queries", "titles"), [([], ["sofa"]), (["sofa"], []), (["?"], ["sofa"]), (["sofa"], [""])])
def test_matches_of_nothing_are_none(queries, titles):
    qrels = qrels_of_matches(pa.array(queries, pa.string()), texts_of(titles))
    assert (qrels.num_queries, len(qrels.grade)) == (len(queries), 0)


_texts = st.lists(st.sampled_from(["a", "b", "bs", "c1.5", "it's", "é", "红", " ", "!"]), max_size=5).map(" ".join)


@settings(deadline=None)
@given(st.lists(_texts, max_size=6), st.lists(st.tuples(_texts, _texts), max_size=6), st.integers(1, 3), st.booleans())
def test_matches_agree_with_set_inclusion(queries, products, at_once, stems):
    stemmer = "english" if stems else None

    def held_by(*given):
        found = {word for text in given for word in words(text)}
        return set(Stemmer.Stemmer(stemmer).stemWords(sorted(found))) if stems else found

    texts = texts_of([title for title, _ in products], brands=[brand for _, brand in products])
    held = [held_by(*product) for product in products]
    expected = [
        [(index, 1.0) for index, product in enumerate(held) if held_by(query) and held_by(query) <= product]
        for query in queries
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation_sets, "_QUERIES_AT_ONCE", at_once)
        assert rows_of(qrels_of_matches(pa.array(queries, pa.string()), texts, stemmer=stemmer)) == expected


def test_pairs_of_chosen_queries_keep_the_best_grade():
    pairs = TrainingPairs(
        pa.array(["a", "b", "c"]),
        np.array([0, 2, 2, 1, 2, 0]),
        np.array([5, 7, 3, 1, 7, 5]),
        np.array([0.5, 0.25, 1.0, 1.0, 0.75, 0.25], np.float32),
    )
    assert rows_of(qrels_of_pairs(pairs, np.array([2, 0]))) == [[(3, 1.0), (7, 0.75)], [(5, 0.5)]]


def test_a_chosen_query_without_pairs_has_no_products():
    pairs = TrainingPairs(pa.array(["a", "b"]), np.array([0]), np.array([4]), np.ones(1, np.float32))
    assert rows_of(qrels_of_pairs(pairs, np.array([1, 0]))) == [[], [(4, 1.0)]]


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.sampled_from([0.25, 0.5, 1.0])), max_size=20),
    st.permutations(range(5)),
    st.integers(0, 5),
)
def test_pairs_agree_with_a_dictionary(triples, order, num_chosen):
    query, product, weight = zip(*triples, strict=True) if triples else ((), (), ())
    pairs = TrainingPairs(
        pa.array([f"q{i}" for i in range(5)]),
        np.array(query, np.int64),
        np.array(product, np.int64),
        np.array(weight, np.float32),
    )
    chosen = np.array(order[:num_chosen], np.int64)
    best = {}
    for one in triples:
        best[one[:2]] = max(best.get(one[:2], 0.0), one[2])
    expected = [sorted((p, grade) for (q, p), grade in best.items() if q == wanted) for wanted in chosen]
    assert rows_of(qrels_of_pairs(pairs, chosen)) == expected


def test_spread_takes_the_ends_and_what_lies_evenly_between():
    chosen = np.ones(11, bool)
    assert spread(chosen, most=3).tolist() == [0, 5, 10]
    assert spread(chosen, most=1).tolist() == [0]


@given(st.lists(st.booleans(), max_size=200), st.integers(1, 250))
def test_spread_gives_distinct_chosen_positions_as_many_as_wanted(chosen, most):
    positions = spread(np.array(chosen, bool), most=most)
    expected = np.flatnonzero(chosen)
    assert len(set(positions.tolist())) == len(positions) == min(len(expected), most)
    assert set(positions.tolist()) <= set(expected.tolist())
    assert (np.diff(positions) > 0).all()
