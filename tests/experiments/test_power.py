import numpy as np
import pytest

from aisle.core.errors import UsageError
from aisle.experiments.arms import assign_arms
from aisle.experiments.lift import Rate, arm_rate, lift_of
from aisle.experiments.power import power_of


@pytest.fixture(scope="module")
def pilot(draw_rate):
    rate = draw_rate(2_000, seed=0)
    return arm_rate(rate, np.ones(2_000, bool)), int(rate.chances.sum())


def told(pilot, **changed):
    arm, searches = pilot
    settings = {"pilot_searches": searches, "searches": searches, "split": 0.5, "expected_lift": 0.3}
    return power_of(arm, **settings | changed)


def test_the_minimal_lift_is_found_four_times_out_of_five(draw_rate, pilot):
    power = told(pilot)
    found = 0
    for seed in range(300):
        in_b = assign_arms(2_000, split=0.5, seed=seed)
        plain, better = draw_rate(2_000, seed=10 + seed), draw_rate(2_000, seed=10 + seed, buys=1 + power.minimal_lift)
        found += lift_of(Rate(np.where(in_b, better.taken, plain.taken), plain.chances), in_b).p < 0.05
    assert 0.7 < found / 300 < 0.9


def test_four_times_the_searches_see_lifts_of_half_the_size(pilot):
    _, searches = pilot
    more = told(pilot, searches=4 * searches)
    assert np.log1p(more.minimal_lift) == pytest.approx(np.log1p(told(pilot).minimal_lift) / 2)
    assert more.chance > told(pilot).chance


def test_power_is_eight_tenths_at_the_minimal_lift_and_after_the_searches_needed(pilot):
    first = told(pilot)
    assert told(pilot, expected_lift=first.minimal_lift).chance == pytest.approx(0.8, abs=0.001)
    assert told(pilot, searches=first.searches_needed).chance == pytest.approx(0.8, abs=0.001)
    assert 0 < told(pilot, expected_lift=-0.2).chance < 1


def test_an_uneven_split_sees_less(pilot):
    assert told(pilot, split=0.1).minimal_lift > 1.5 * told(pilot).minimal_lift
    assert told(pilot, split=0.1).minimal_lift == pytest.approx(told(pilot, split=0.9).minimal_lift)
    assert told(pilot).as_dict()["pilot_searches"] == pilot[1]


def test_a_pilot_without_orders_is_refused():
    arm = arm_rate(Rate(np.zeros(5), np.ones(5)), np.ones(5, bool))
    with pytest.raises(UsageError, match=r"must lead to orders.*orders=0"):
        power_of(arm, pilot_searches=5, searches=100, split=0.5, expected_lift=0.05)
