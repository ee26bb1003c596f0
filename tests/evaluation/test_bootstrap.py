import numpy as np
import pytest
from scipy.stats import bootstrap

from aisle.evaluation import bootstrap_intervals, bootstrap_ratio_intervals


def test_two_queries_can_only_average_to_three_values():
    low, high = bootstrap_intervals(np.array([[0.0], [1.0]]), seed=1)
    assert (low.tolist(), high.tolist()) == ([0.0], [1.0])
    # Half of all resamples hold one of each: an interval of 40 % is that middle value alone.
    low, high = bootstrap_intervals(np.array([[0.0], [1.0]]), seed=1, coverage=0.4)
    assert (low.tolist(), high.tolist()) == ([0.5], [0.5])


@pytest.mark.parametrize("num_queries", [0, 1])
def test_fewer_than_two_queries_have_no_interval(num_queries):
    low, high = bootstrap_intervals(np.ones((num_queries, 3)), seed=1)
    assert np.isnan(low).all()
    assert np.isnan(high).all()
    assert low.shape == high.shape == (3,)


def test_equal_values_have_an_interval_of_no_width_around_their_mean():
    values = np.full((7, 1), 0.3)
    low, high = bootstrap_intervals(values, seed=1)
    assert low[0] <= values.mean() <= high[0]
    np.testing.assert_allclose([low[0], high[0]], 0.3, rtol=1e-12)


def test_agrees_with_scipy():
    values = np.random.default_rng(0).beta(0.5, 0.5, size=120)
    rng = np.random.default_rng(1)
    theirs = bootstrap((values,), np.mean, method="percentile", n_resamples=10_000, rng=rng).confidence_interval
    low, high = bootstrap_intervals(values[:, None], seed=1)
    np.testing.assert_allclose([low[0], high[0]], theirs, atol=0.003)


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    # 300 studies of 60 queries each, as columns: they share resamples but not data.
    low, high = bootstrap_intervals(rng.exponential(1.0, size=(60, 300)), seed=1, num_resamples=1000)
    covered = np.mean((low <= 1.0) & (high >= 1.0))
    # Four standard errors of a share around 0.93 (percentile intervals of skewed data are a little short).
    assert 0.87 < covered < 0.985


def test_a_column_does_not_change_when_others_join():
    values = np.random.default_rng(0).random((30, 4))
    together = bootstrap_intervals(values, seed=3, num_resamples=500)
    alone = bootstrap_intervals(values[:, 2:3], seed=3, num_resamples=500)
    np.testing.assert_allclose([side[2] for side in together], [side[0] for side in alone], rtol=1e-12)


def test_blocks_do_not_change_the_result(monkeypatch):
    values = np.random.default_rng(0).random((30, 2))
    whole = bootstrap_intervals(values, seed=3, num_resamples=500)
    monkeypatch.setitem(bootstrap_intervals.__globals__, "_MAX_CELLS", 70)
    np.testing.assert_allclose(bootstrap_intervals(values, seed=3, num_resamples=500), whole, rtol=1e-12)


def test_the_seed_decides():
    values = np.random.default_rng(0).random((30, 1))
    first, again, other = (bootstrap_intervals(values, seed=seed, num_resamples=200) for seed in (1, 1, 2))
    assert first[0] == again[0]
    assert first[0] != other[0]


def test_a_ratio_over_equal_denominators_is_a_mean():
    values = np.random.default_rng(0).random((40, 2))
    ratio = bootstrap_ratio_intervals(values * 3, np.full(40, 3.0), seed=5, num_resamples=500)
    mean = bootstrap_intervals(values, seed=5, num_resamples=500)
    np.testing.assert_allclose(ratio, mean, rtol=1e-12)


def test_a_ratio_agrees_with_scipy():
    rng = np.random.default_rng(0)
    below = rng.exponential(1.0, 150)
    above = below * rng.beta(2, 2, 150)
    theirs = bootstrap(
        (above, below),
        lambda a, b, axis=-1: a.sum(axis=axis) / b.sum(axis=axis),
        paired=True,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval
    low, high = bootstrap_ratio_intervals(above[:, None], below, seed=1)
    np.testing.assert_allclose([low[0], high[0]], theirs, atol=0.003)


@pytest.mark.parametrize("below", [[1.0], [0.0, 0.0]])
def test_a_ratio_without_anything_to_resample_has_no_interval(below):
    low, high = bootstrap_ratio_intervals(np.ones((len(below), 2)), np.array(below), seed=1)
    assert np.isnan([*low, *high]).all()
