import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import ShapeError
from aisle.training import TrainingPairs, split_queries
from aisle.training.pairs import join_pairs


def pairs_of(*triples):
    """Make pairs of (text, product, weight)."""
    texts, products, weights = zip(*triples, strict=True) if triples else ((), (), ())
    return TrainingPairs.from_texts(
        pa.array(texts, pa.string()), np.array(products, np.int64), np.array(weights, np.float32)
    )


def triples_of(pairs):
    queries = pairs.queries.to_pylist()
    columns = (pairs.query_index, pairs.product_index, pairs.weight)
    return [(queries[query], int(product), float(weight)) for query, product, weight in zip(*columns, strict=True)]


def test_equal_normalised_texts_become_one_query():
    pairs = pairs_of(("Red  Sofa", 3, 1.0), ("lamp", 1, 0.5), (" red sofa", 3, 0.75), ("ＲＥＤ sofa", 0, 1.0))
    assert pairs.queries.to_pylist() == ["red sofa", "lamp"]
    assert pairs.query_index.tolist() == [0, 1, 0, 0]
    assert pairs.product_index.tolist() == [3, 1, 3, 0]
    assert pairs.weight.tolist() == [1.0, 0.5, 0.75, 1.0]
    assert (pairs.query_index.dtype, pairs.weight.dtype) == (np.int64, np.float32)


def test_blank_and_missing_queries_are_dropped_with_their_pairs():
    pairs = pairs_of((" ", 0, 1.0), (None, 1, 1.0), ("", 2, 1.0), ("\u00a0\t", 3, 1.0), ("!", 4, 0.5))
    assert triples_of(pairs) == [("!", 4, 0.5)]
    assert pairs.queries.to_pylist() == ["!"]


def test_no_texts_give_no_pairs():
    pairs = pairs_of()
    assert (len(pairs), len(pairs.queries)) == (0, 0)


def test_pairs_of_chosen_queries_keep_the_meaning_of_indices():
    pairs = pairs_of(("a", 0, 1.0), ("b", 1, 0.5), ("a", 2, 0.25), ("c", 3, 1.0))
    kept = pairs.of_queries(np.array([True, False, True]))
    assert triples_of(kept) == [("a", 0, 1.0), ("a", 2, 0.25), ("c", 3, 1.0)]
    assert kept.queries.equals(pairs.queries)


def test_no_chosen_query_leaves_no_pair():
    assert len(pairs_of(("a", 0, 1.0)).of_queries(np.array([False]))) == 0


def test_joined_pairs_share_a_query_that_stands_in_both():
    joined = join_pairs(pairs_of(("a", 0, 1.0), ("b", 1, 0.5)), pairs_of(("c", 2, 0.25), ("B", 3, 1.0)))
    assert joined.queries.to_pylist() == ["a", "b", "c"]
    assert triples_of(joined) == [("a", 0, 1.0), ("b", 1, 0.5), ("c", 2, 0.25), ("b", 3, 1.0)]


def test_joining_leaves_out_queries_without_pairs():
    first = pairs_of(("a", 0, 1.0), ("b", 1, 1.0)).of_queries(np.array([False, True]))
    assert join_pairs(first, pairs_of()).queries.to_pylist() == ["b"]


_triples = st.lists(
    st.tuples(st.text("aAbB ", max_size=3), st.integers(0, 5), st.sampled_from([0.25, 0.5, 1.0])), max_size=8
)


@given(_triples, _triples)
def test_joining_is_making_pairs_of_all_rows(first, second):
    joined = join_pairs(pairs_of(*first), pairs_of(*second))
    together = pairs_of(*first, *second)
    assert triples_of(joined) == triples_of(together)
    assert joined.queries.to_pylist() == together.queries.to_pylist()


def test_columns_of_different_length_are_refused():
    with pytest.raises(ShapeError, match=r"one length. Received: query_index=2, product_index=1, weight=2"):
        TrainingPairs(pa.array(["a"]), np.zeros(2, np.int64), np.zeros(1, np.int64), np.ones(2, np.float32))


def test_split_takes_about_the_share():
    queries = pa.array([f"query {i}" for i in range(20_000)])
    for share in (0.1, 0.5):
        # Five standard errors of a share over 20,000 queries.
        bound = 5 * (share * (1 - share) / 20_000) ** 0.5
        assert split_queries(queries, validation_share=share).mean() == pytest.approx(share, abs=bound)


def test_split_of_known_texts_never_changes():
    """A hash that changed between versions would let training queries validate."""
    queries = pa.array([f"sofa {i}" for i in range(24)])
    assert np.flatnonzero(split_queries(queries, validation_share=0.2)).tolist() == [6, 8, 9, 21]


@given(st.lists(st.text("abc é红", max_size=6), max_size=12), st.lists(st.text("abc é红", max_size=6), max_size=12))
def test_split_looks_at_the_text_alone(queries, others):
    alone = split_queries(pa.array(queries, pa.string()), validation_share=0.4)
    among = split_queries(pa.array(others + queries, pa.string()), validation_share=0.4)
    assert among[len(others) :].tolist() == alone.tolist()


def test_a_larger_share_keeps_the_chosen():
    queries = pa.array([f"query {i}" for i in range(500)])
    small, large = (split_queries(queries, validation_share=share) for share in (0.1, 0.3))
    assert (large | ~small).all()
    assert large.sum() > small.sum()
