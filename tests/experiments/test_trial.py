import dataclasses

import numpy as np
import pytest

from aisle.experiments.arms import assign_arms, split_again
from aisle.experiments.lift import paired_lift
from aisle.experiments.setups import SplitSetup
from aisle.experiments.trial import clicks, conversions, purchases, trial_of


@pytest.fixture(scope="module")
def in_b(market):
    return assign_arms(len(market.shoppers), split=0.5, seed=1)


@pytest.fixture(scope="module")
def bands(outcome):
    short = np.array([len(text) < 14 for text in outcome.requests.text.to_pylist()])
    return {"short": short, "long": ~short, "none": np.zeros(len(short), bool)}


@pytest.fixture(scope="module")
def trial(outcome, environment, in_b, bands):
    return trial_of(outcome, in_b, bands=bands, days=environment.days)


def test_rates_are_those_of_the_run(outcome, market):
    num = len(market.shoppers)
    rates = [purchases(outcome, num), conversions(outcome, num), clicks(outcome, num)]
    values = [rate.taken.sum() / rate.chances.sum() for rate in rates]
    expected = [outcome.search_purchase_rate, outcome.conversion, outcome.search_clicked.mean()]
    assert values == pytest.approx(expected)
    assert all(len(rate.taken) == num for rate in rates)
    searches = np.bincount(outcome.requests.user_index, minlength=num)
    assert np.array_equal(rates[0].chances, searches)
    assert rates[1].chances.sum() > len(np.unique(outcome.search_visit)), "visits that never search count too"


def test_arms_share_no_shopper_and_leave_no_search_out(outcome, trial, in_b):
    a, b = trial.purchases.a, trial.purchases.b
    assert a.chances + b.chances == len(outcome.search_visit)
    assert b.chances == in_b[outcome.requests.user_index].sum()
    assert a.shoppers + b.shoppers == len(np.unique(outcome.requests.user_index))
    assert trial.conversions.a.chances + trial.conversions.b.chances == len(outcome.visit_user)


def test_bands_add_up_and_empty_ones_are_left_out(trial):
    assert list(trial.bands) == ["short", "long"]
    assert sum(band.adds.value for band in trial.bands.values()) == pytest.approx(trial.purchases.value)
    assert sum(band.lift.b.chances for band in trial.bands.values()) == trial.purchases.b.chances


def test_the_last_day_knows_what_the_fixed_horizon_knows(outcome, environment, trial):
    first, end = environment.days
    assert len(trial.looks) == end - first
    searches = [look.searches for look in trial.looks]
    assert searches == sorted(searches)
    assert searches[-1] == len(outcome.search_visit)
    assert trial.looks[-1].value == pytest.approx(trial.purchases.value)


def test_an_order_that_is_still_to_come_is_not_known_yet(outcome, environment, in_b, bands, trial):
    last = environment.days[1] * 86_400 - 1
    late = np.where(outcome.search_ordered, last, outcome.search_ordered_at)
    later = trial_of(dataclasses.replace(outcome, search_ordered_at=late), in_b, bands=bands, days=environment.days)
    assert np.isnan([look.value for look in later.looks[:-1]]).all()
    assert later.looks[-1] == trial.looks[-1]
    assert later.purchases == trial.purchases


def test_a_better_set_up_wins(environment, setup_of, oracle, in_b, outcome):
    """The oracle knows the needs of this very run, so it knows those of a split run with the same number too."""
    run = environment.run(SplitSetup(setup_of(), oracle, in_b), num_needs=2_500)
    bands = {"all": np.ones(len(run.search_visit), bool)}
    trial = trial_of(run, in_b, bands=bands, days=environment.days)
    assert trial.purchases.low > 0
    assert trial.purchases.p < 0.05
    assert trial.conversions.value > 0
    before = purchases(outcome, len(in_b))
    assert trial.purchases.b.taken > 1.5 * before.taken[in_b].sum(), "the same shoppers bought less of arm A's set-up"
    assert trial.bands["all"].adds.value == pytest.approx(trial.purchases.value)
    same = ~in_b[run.visit_user]
    assert np.array_equal(run.visit_user, outcome.visit_user)
    assert np.array_equal(run.visit_ordered[same], outcome.visit_ordered[same]), "arm A met what it met before"


def test_the_same_set_up_has_a_lift_of_exactly_zero_on_the_same_shoppers_and_about_zero_on_others(
    environment, setup_of, outcome, market
):
    again = environment.run(setup_of(), num_needs=2_500)
    lift = paired_lift(purchases(outcome, len(market.shoppers)), purchases(again, len(market.shoppers)))
    assert (lift.value, lift.p) == (0.0, 1.0)
    test = split_again(purchases(outcome, len(market.shoppers)), runs=100, split=0.5, seed=0)
    assert test.rejections <= 11
    assert np.mean(test.p) == pytest.approx(0.5, abs=0.1)


def test_a_trial_is_plain_values(trial):
    told = trial.as_dict()
    assert told["purchase_rate_lift"]["value"] == trial.purchases.value
    assert set(told) == {"purchase_rate_lift", "conversion_lift", "click_rate_lift", "bands", "looks"}
    assert set(told["bands"]["short"]) >= {"value", "low", "high", "p", "a", "b", "adds"}
