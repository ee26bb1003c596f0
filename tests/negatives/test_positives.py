import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import ShapeError, UsageError
from aisle.negatives import PositiveSets, searcher_groups


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6)), max_size=30))
def test_sets_from_pairs_agree_with_python_sets(pairs):
    columns = np.array(pairs, np.int64).reshape(-1, 2)
    sets = PositiveSets.from_pairs(columns[:, 0], columns[:, 1], num_queries=5)
    assert len(sets) == 5
    for query in range(5):
        run = sets.product_index[sets.offsets[query] : sets.offsets[query + 1]].tolist()
        assert run == sorted({product for each, product in pairs if each == query})


def test_sets_from_pairs_refuse_an_unknown_query():
    with pytest.raises(UsageError, match=r"Query indices must lie in 0\.\.2\. Received: least=0, greatest=3"):
        PositiveSets.from_pairs(np.array([0, 3]), np.array([1, 1]), num_queries=3)


@pytest.mark.parametrize("offsets", [[], [1, 2], [0, 3], [0, 2, 1, 2]])
def test_sets_refuse_offsets(offsets):
    with pytest.raises(ShapeError, match="offsets must begin with 0, never fall and end with the number"):
        PositiveSets(np.array(offsets, np.int64), np.array([4, 5]))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_membership_agrees_with_python_sets(data):
    products = st.integers(0, 12)
    sets = data.draw(st.lists(st.sets(products, max_size=5), min_size=1, max_size=5))
    rows = data.draw(st.lists(st.integers(0, len(sets) - 1), min_size=1, max_size=6))
    listed = np.array([data.draw(st.lists(st.integers(-1, 14), min_size=4, max_size=4)) for _ in rows])
    known = PositiveSets.from_pairs(
        np.repeat(np.arange(len(sets)), [len(each) for each in sets]),
        np.array([product for each in sets for product in sorted(each)], np.int64),
        num_queries=len(sets),
    )
    expected = [[product in sets[row] for product in each] for row, each in zip(rows, listed, strict=True)]
    assert known.contains(np.array(rows), listed).tolist() == expected


def test_an_empty_place_is_not_the_last_product_of_the_row_before():
    known = PositiveSets.from_pairs(np.array([0, 1]), np.array([3, 0]), num_queries=2)
    assert known.contains(np.array([0, 1]), np.array([[3], [-1]])).tolist() == [[True], [False]]


def test_membership_of_nothing():
    known = PositiveSets.from_pairs(np.empty(0, np.int64), np.empty(0, np.int64), num_queries=2)
    assert known.contains(np.array([0, 1]), np.array([[3], [4]])).tolist() == [[False], [False]]
    assert known.contains(np.empty(0, np.int64), np.empty((0, 4), np.int64)).shape == (0, 4)


def test_membership_refuses_an_unknown_query():
    known = PositiveSets.from_pairs(np.array([0]), np.array([3]), num_queries=1)
    with pytest.raises(UsageError, match=r"Query indices must lie in 0\.\.0\. Received: least=1, greatest=1"):
        known.contains(np.array([1]), np.array([[3]]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(-1, 3)), max_size=20))
def test_searches_share_a_group_where_a_known_actor_repeats_a_query(searches):
    columns = np.array(searches, np.int32).reshape(-1, 2)
    group = searcher_groups(columns[:, 0], columns[:, 1])
    for one, (query, actor) in enumerate(searches):
        for other in range(one):
            assert (group[one] == group[other]) == (actor >= 0 and (query, actor) == searches[other])
    assert sorted(set(group.tolist())) == list(range(len(set(group.tolist()))))


def test_groups_of_large_numbers_do_not_meet():
    query, actor = np.array([2**31 - 1, 2**31 - 2], np.int32), np.array([0, 2**31 - 1], np.int32)
    assert len(set(searcher_groups(query, actor).tolist())) == 2
