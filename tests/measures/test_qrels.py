import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import ShapeError, UsageError
from aisle.measures import Qrels, check_min_grade

TRIPLES = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.integers(-1, 3)), max_size=40)


def build(triples, num_queries=5):
    query, product, grade = zip(*triples, strict=True) if triples else ((), (), ())
    return Qrels.from_triples(
        query_index=np.array(query, dtype=np.int64),
        product_index=np.array(product, dtype=np.int64),
        grade=np.array(grade, dtype=np.float64),
        num_queries=num_queries,
    )


def test_triples_are_grouped_by_query_and_sorted_by_product():
    qrels = build([(2, 5, 1), (0, 3, 2), (2, 1, 3)], num_queries=3)
    assert qrels.offsets.tolist() == [0, 1, 1, 3]
    assert qrels.product_index.tolist() == [3, 1, 5]
    assert qrels.grade.tolist() == [2.0, 3.0, 1.0]
    assert qrels.query_index.tolist() == [0, 2, 2]


def test_relevance_begins_at_min_grade():
    qrels = build([(0, 1, 1), (0, 2, 2), (1, 1, 1)], num_queries=3)
    assert qrels.num_relevant(1).tolist() == [2, 1, 0]
    assert qrels.num_relevant(2).tolist() == [1, 0, 0]
    assert qrels.has_relevant(2).tolist() == [True, False, False]


def test_no_judgments_and_no_queries_are_allowed():
    assert build([], num_queries=2).num_relevant(1).tolist() == [0, 0]
    assert build([], num_queries=0).num_queries == 0


@given(TRIPLES)
def test_duplicates_keep_their_largest_grade_and_order_does_not_matter(triples):
    best: dict[tuple[int, int], int] = {}
    for query, product, grade in triples:
        best[query, product] = max(grade, best.get((query, product), grade))
    for order in (triples, triples[::-1]):
        qrels = build(order)
        pairs = zip(qrels.query_index.tolist(), qrels.product_index.tolist(), strict=True)
        assert list(zip(pairs, qrels.grade.tolist(), strict=True)) == sorted(best.items())


@pytest.mark.parametrize("min_grade", [0.0, -1.0, float("nan"), float("inf")])
def test_a_threshold_that_makes_everything_relevant_is_refused(min_grade):
    with pytest.raises(UsageError, match=r"above 0: grade 0 means not relevant\. Received: min_grade="):
        check_min_grade(min_grade)


def test_arrays_of_different_length_are_refused():
    with pytest.raises(ShapeError, match="equally long"):
        Qrels.from_triples(
            query_index=np.array([0]), product_index=np.array([0, 1]), grade=np.array([1.0]), num_queries=1
        )


@pytest.mark.parametrize(
    ("triple", "message"),
    [((3, 0, 1), r"query_index must lie in 0\.\.2"), ((0, -1, 1), "product_index must not be negative")],
)
def test_indices_out_of_range_are_refused(triple, message):
    with pytest.raises(ShapeError, match=message):
        build([triple], num_queries=3)


@pytest.mark.parametrize("grade", [float("nan"), float("inf")])
def test_grades_that_are_not_finite_are_refused(grade):
    with pytest.raises(ShapeError, match="finite"):
        build([(0, 0, grade)])


@pytest.mark.parametrize(
    ("offsets", "product", "grade", "message"),
    [
        ([0, 2], [1, 1], [1.0, 1.0], "ascending and distinct"),
        ([0, 2], [2, 1], [1.0, 1.0], "ascending and distinct"),
        ([0, 1], [1, 2], [1.0, 1.0], "run from 0 to the number"),
        ([], [], [], "run from 0 to the number"),
        ([0, 2, 1, 2], [1, 2], [1.0, 1.0], "must not decrease"),
        ([0, 1], [1], [1.0, 2.0], "one entry per judgment"),
    ],
)
def test_arrays_that_break_the_form_are_refused(offsets, product, grade, message):
    with pytest.raises(ShapeError, match=message):
        Qrels(np.array(offsets, np.int64), np.array(product, np.int64), np.array(grade, np.float64))


def test_products_may_restart_at_the_next_query():
    qrels = Qrels(np.array([0, 1, 2]), np.array([5, 5]), np.array([1.0, 2.0]))
    assert qrels.num_queries == 2
