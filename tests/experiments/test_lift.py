import numpy as np
import pytest

from aisle.core.errors import ShapeError
from aisle.experiments.lift import Rate, arm_rate, contribution_of, lift_of, paired_lift


def halves(num, seed=0):
    return np.random.default_rng(seed).random(num) < 0.5


def bootstrap_error(rate, in_b, *, seed, num=1_000):
    """Slow and foreign: draw shoppers again, arm by arm."""
    rng = np.random.default_rng(seed)
    ratios = []
    for _ in range(num):
        arms = [rng.choice(np.flatnonzero(arm), int(arm.sum())) for arm in (~in_b, in_b)]
        a, b = (rate.taken[rows].sum() / rate.chances[rows].sum() for rows in arms)
        ratios.append(np.log(b / a))
    return np.std(ratios)


def test_a_lift_that_can_be_checked_by_eye():
    rate = Rate(np.array([1.0, 0, 1, 2]), np.array([4.0, 4, 4, 4]))
    lift = lift_of(rate, np.array([False, False, True, True]))
    assert (lift.a.value, lift.b.value, lift.value) == (1 / 8, 3 / 8, pytest.approx(2.0))
    assert (lift.a.shoppers, lift.a.chances, lift.a.taken) == (2, 8, 1)
    # Both of A lie 0.5 off: (0.25 + 0.25) times 2 / 1, over 1 order.
    assert lift.a.relative_error == pytest.approx(1.0)
    assert lift.low < 0 < lift.high
    assert lift.p > 0.05


def test_one_search_per_shopper_is_the_binomial_error():
    taken = np.repeat([1.0, 0.0], [30, 970])
    told = arm_rate(Rate(taken, np.ones(1_000)), np.ones(1_000, bool))
    assert told.relative_error == pytest.approx(np.sqrt(0.03 * 0.97 / 999) / 0.03, rel=1e-9)


def test_shoppers_who_search_much_widen_the_error():
    once = arm_rate(Rate(np.repeat([1.0, 0.0], [30, 970]), np.ones(1_000)), np.ones(1_000, bool))
    often = arm_rate(Rate(np.repeat([10.0, 0.0], [3, 97]), np.full(100, 10.0)), np.ones(100, bool))
    assert often.value == once.value
    assert often.relative_error > 3 * once.relative_error


def test_the_delta_method_agrees_with_a_bootstrap_by_shopper(draw_rate):
    rate, in_b = draw_rate(3_000, seed=1), halves(3_000)
    lift = lift_of(rate, in_b)
    error = np.hypot(lift.a.relative_error, lift.b.relative_error)
    assert bootstrap_error(rate, in_b, seed=2) == pytest.approx(error, rel=0.1)
    bounds = np.log1p(lift.value) + np.array([-1.96, 1.96]) * error
    assert np.log1p([lift.low, lift.high]) == pytest.approx(bounds, abs=1e-4)


def test_intervals_hold_the_true_lift_nineteen_times_in_twenty(draw_rate):
    many = [draw_rate(400_000, seed=seed, buys=buys) for seed, buys in ((1, 1.0), (2, 1.3))]
    true = many[1].taken.sum() / many[1].chances.sum() / (many[0].taken.sum() / many[0].chances.sum()) - 1
    held = 0
    for seed in range(400):
        a, b = draw_rate(1_000, seed=2 * seed + 10), draw_rate(1_000, seed=2 * seed + 11, buys=1.3)
        rate = Rate(np.concatenate([a.taken, b.taken]), np.concatenate([a.chances, b.chances]))
        lift = lift_of(rate, np.arange(2_000) >= 1_000)
        held += lift.low <= true <= lift.high
    assert 0.92 <= held / 400 <= 0.98


def test_swapping_the_arms_turns_the_lift_around(draw_rate):
    rate, in_b = draw_rate(500, seed=3), halves(500)
    there, back = lift_of(rate, in_b), lift_of(rate, ~in_b)
    assert (1 + there.value) * (1 + back.value) == pytest.approx(1.0)
    assert (1 + there.low) * (1 + back.high) == pytest.approx(1.0)
    assert there.p == pytest.approx(back.p)


def test_the_interval_holds_no_difference_exactly_where_the_test_finds_none(draw_rate):
    for seed in range(40):
        lift = lift_of(draw_rate(300, seed=seed), halves(300, seed))
        assert (lift.low <= 0 <= lift.high) == (lift.p >= 0.05)


@pytest.mark.parametrize("taken", [[0.0, 0, 0, 0], [0.0, 0, 1, 1]])
def test_an_arm_without_orders_has_no_lift(taken):
    lift = lift_of(Rate(np.array(taken), np.ones(4)), np.array([False, False, True, True]))
    assert np.isnan([lift.value, lift.low, lift.high, lift.p]).all()
    assert lift.a.value == 0


def test_an_empty_arm_is_told_as_such():
    lift = lift_of(Rate(np.ones(2), np.ones(2)), np.zeros(2, bool))
    assert np.isnan(lift.b.value)
    assert np.isnan(lift.value)
    assert lift.as_dict()["b"]["shoppers"] == 0


def test_contributions_add_up_to_the_lift(draw_rate):
    whole, in_b = draw_rate(2_000, seed=4), halves(2_000)
    first = np.random.default_rng(5).binomial(whole.taken.astype(int), 0.3).astype(float)
    parts = [contribution_of(Rate(taken, whole.chances), whole, in_b) for taken in (first, whole.taken - first)]
    assert sum(part.value for part in parts) == pytest.approx(lift_of(whole, in_b).value)
    assert all(part.low < part.value < part.high for part in parts)


def test_the_contribution_of_everything_is_the_lift_with_its_error(draw_rate):
    rate, in_b = draw_rate(2_000, seed=6), halves(2_000)
    whole, lift = contribution_of(rate, rate, in_b), lift_of(rate, in_b)
    error = np.hypot(lift.a.relative_error, lift.b.relative_error)
    assert whole.value == pytest.approx(lift.value)
    assert whole.high - whole.value == pytest.approx(1.96 * error * (1 + lift.value), rel=0.01)


def test_nothing_bought_contributes_nothing_that_is_known():
    nothing = Rate(np.zeros(4), np.ones(4))
    assert np.isnan(contribution_of(nothing, nothing, np.array([False, False, True, True])).value)


def test_the_same_shoppers_with_the_same_orders_have_a_lift_of_exactly_zero(draw_rate):
    rate = draw_rate(200, seed=7)
    lift = paired_lift(rate, rate)
    assert (lift.value, lift.low, lift.high, lift.p) == (0.0, 0.0, 0.0, 1.0)


def test_a_paired_lift_is_narrower_where_shoppers_resemble_themselves(draw_rate):
    a = draw_rate(2_000, seed=8)
    more = np.random.default_rng(9).binomial(1, 0.05, 2_000) * (a.chances > a.taken)
    b = Rate(a.taken + more, a.chances)
    paired = paired_lift(a, b)
    both = Rate(np.concatenate([a.taken, b.taken]), np.concatenate([a.chances, b.chances]))
    apart = lift_of(both, np.arange(4_000) >= 2_000)
    assert paired.value == pytest.approx(apart.value)
    assert paired.high - paired.low < 0.5 * (apart.high - apart.low)
    assert paired.p < 0.001


def test_what_does_not_fit_is_refused(draw_rate):
    with pytest.raises(ShapeError, match="the same shoppers"):
        paired_lift(draw_rate(3, seed=0), draw_rate(4, seed=0))
    with pytest.raises(ShapeError, match="of every shopper"):
        Rate(np.ones(2), np.ones(3))
