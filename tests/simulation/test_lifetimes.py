import numpy as np
import pytest

from aisle.simulation.choices import Chances
from aisle.simulation.clock import NEVER, SECONDS_PER_DAY
from aisle.simulation.lifetimes import draw_lifetimes

DAYS = 90


@pytest.fixture(scope="module")
def lifetimes():
    model_index = np.repeat(np.arange(10_000), 2)
    return draw_lifetimes(Chances(1, model_index), log_days=DAYS)


def test_most_are_there_from_the_start_and_some_arrive_evenly(lifetimes):
    arrived, _ = lifetimes
    coming = arrived[arrived > 0]
    assert len(coming) / len(arrived) == pytest.approx(0.12, abs=0.01)
    assert coming.max() < DAYS * SECONDS_PER_DAY
    thirds = np.histogram(coming, bins=3, range=(0, DAYS * SECONDS_PER_DAY))[0] / len(coming)
    assert np.allclose(thirds, 1 / 3, atol=0.04)
    assert arrived.min() >= -3 * 365 * SECONDS_PER_DAY


def test_variants_arrive_together_but_go_one_by_one(lifetimes):
    arrived, removed = lifetimes
    assert (arrived[::2] == arrived[1::2]).all()
    assert (removed[::2] != removed[1::2]).any()


def test_some_go_within_the_log_at_the_earliest_two_days_after_they_came(lifetimes):
    arrived, removed = lifetimes
    going = removed != NEVER
    assert going.mean() == pytest.approx(0.1, abs=0.01)
    assert (removed[going] > 0).all()
    assert (removed[going] <= DAYS * SECONDS_PER_DAY).all()
    assert (removed[going] - arrived[going] >= 2 * SECONDS_PER_DAY - 1).all()


def test_a_log_of_one_day():
    arrived, removed = draw_lifetimes(Chances(1, np.arange(500)), log_days=1)
    assert (removed > arrived).all()
