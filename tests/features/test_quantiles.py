import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.features.quantiles import bucket_numbers, group_edges

VALUES = st.lists(st.floats(-1e6, 1e6) | st.just(float("nan")), max_size=40)


def edges_of(values, *, num_buckets=4, **more):
    values = np.array(values, float)
    return group_edges(values, np.zeros(len(values), np.int64), num_groups=1, num_buckets=num_buckets, **more)


def test_quarters_by_eye():
    values = [8, 1, 7, 2, 6, 3, 5, 4]
    assert edges_of(values).tolist() == [[2, 4, 6]]
    assert bucket_numbers(np.array(values, float), edges_of(values)).tolist() == [4, 1, 4, 1, 3, 2, 3, 2]


def test_values_outside_the_known_range_are_in_the_outer_buckets():
    assert bucket_numbers(np.array([-100.0, 100.0]), edges_of([1, 2, 3, 4])).tolist() == [1, 4]


@given(VALUES, st.integers(2, 12))
def test_buckets_are_ordered_as_the_values_and_equal_values_share_one(values, num_buckets):
    values = np.array(values, float)
    bucket = bucket_numbers(values, edges_of(values, num_buckets=num_buckets))
    known = np.isfinite(values)
    assert (bucket[~known] == 0).all()
    assert ((bucket[known] >= 1) & (bucket[known] <= num_buckets)).all()
    order = np.argsort(values[known], kind="stable")
    assert (np.diff(bucket[known][order]) >= 0).all()
    for one in np.unique(values[known]):
        assert len(set(bucket[values == one])) == 1


@given(st.integers(2, 10), st.integers(1, 8))
def test_distinct_values_fill_buckets_equally(num_buckets, each):
    values = np.random.default_rng(0).permutation(num_buckets * each).astype(float)
    bucket = bucket_numbers(values, edges_of(values, num_buckets=num_buckets))
    assert np.bincount(bucket)[1:].tolist() == [each] * num_buckets


def test_groups_are_cut_apart_and_small_ones_have_no_quantiles():
    values, group = np.array([1.0, 2, 3, 4, 100, 200, 5]), np.array([0, 0, 0, 0, 2, 2, 1])
    edges = group_edges(values, group, num_groups=4, num_buckets=2, min_count=2)
    np.testing.assert_array_equal(edges, [[2], [np.nan], [100], [np.nan]])
    assert bucket_numbers(values, edges[group]).tolist() == [1, 1, 2, 2, 1, 2, 0]


@pytest.mark.parametrize("values", [[], [float("nan")], [float("inf")]])
def test_without_numbers_all_are_missing(values):
    edges = edges_of(values)
    assert np.isnan(edges).all()
    assert bucket_numbers(np.array([1.0]), edges).tolist() == [0]
