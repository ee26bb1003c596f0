import numpy as np
import pytest
from scipy.stats import norm

from aisle.experiments.lift import Rate, lift_of
from aisle.experiments.sequential import LEAST_TAKEN, PRIOR_SCALE, looks_of

DAYS = 12


def stream(num, *, seed, lift=0.0):
    """Cumulative lifts of shoppers who come back: what each buys on all days hangs together."""
    rng = np.random.default_rng(seed)
    in_b = rng.random(num) < 0.5
    chance = rng.beta(0.6, 12.0, num) * np.where(in_b, 1 + lift, 1.0)
    steps = rng.poisson(rng.gamma(1.0, 1.0, num), (DAYS, num))
    orders = rng.binomial(steps, np.minimum(chance, 1.0)).cumsum(axis=0)
    days = zip(orders, steps.cumsum(axis=0), strict=True)
    return [lift_of(Rate(taken.astype(float), chances.astype(float)), in_b) for taken, chances in days]


def test_looking_every_day_errs_in_less_than_one_of_twenty_tests_of_equal_arms():
    streams = [stream(2_000, seed=seed) for seed in range(200)]
    sequential = sum(looks_of(lifts)[-1].p < 0.05 for lifts in streams)
    peeking = sum(min(lift.p for lift in lifts) < 0.05 for lifts in streams)
    assert sequential < 10
    assert peeking > 14, "the fixed-horizon test, peeked at, errs more often: the streams are not too easy"


def test_a_true_difference_is_found_before_the_end():
    looks = looks_of(stream(6_000, seed=0, lift=0.8))
    found = [look.day for look in looks if look.p < 0.05]
    assert found
    assert found[0] < DAYS
    assert looks[-1].low > 0


def test_the_p_value_is_the_inverse_of_the_averaged_likelihood_ratio():
    lift = stream(3_000, seed=1, lift=0.4)[-1]
    (look,) = looks_of([lift])
    value, error = np.log1p(lift.value), np.hypot(lift.a.relative_error, lift.b.relative_error)
    theta = np.random.default_rng(0).normal(0, PRIOR_SCALE, 400_000)
    ratio = norm.pdf(value, theta, error).mean() / norm.pdf(value, 0, error)
    assert look.p < 0.9
    assert look.p == pytest.approx(1 / ratio, rel=0.01)


def test_the_confidence_sequence_leaves_0_out_exactly_where_the_test_finds_a_difference():
    decided = []
    for seed in range(20):
        for lift in stream(3_000, seed=seed, lift=0.6):
            (look,) = looks_of([lift])
            if not np.isnan(look.value):
                assert (look.low <= 0 <= look.high) == (look.p >= 0.05)
                decided.append(look.p < 0.05)
    assert any(decided)
    assert not all(decided)


def test_p_never_rises_and_intervals_are_wider_than_those_of_a_fixed_horizon():
    lifts = stream(3_000, seed=2, lift=0.2)
    looks = looks_of(lifts)
    assert np.all(np.diff([look.p for look in looks]) <= 0)
    assert [look.day for look in looks] == list(range(1, DAYS + 1))
    assert all(look.low < lift.low for look, lift in zip(looks, lifts, strict=True) if not np.isnan(look.value))


def test_a_look_at_too_few_orders_does_not_count():
    num = 2 * LEAST_TAKEN
    taken = np.zeros(num)
    taken[: LEAST_TAKEN - 1] = taken[-LEAST_TAKEN:] = 1
    rate = Rate(taken, np.full(num, 2.0))
    (look,) = looks_of([lift_of(rate, np.arange(num) >= LEAST_TAKEN)])
    assert np.isnan([look.value, look.low, look.high]).all()
    assert (look.p, look.searches) == (1.0, 2 * num)
    assert looks_of([]) == []
