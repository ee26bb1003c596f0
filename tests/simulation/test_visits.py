import numpy as np
import pytest

from aisle.simulation.clock import SECONDS_PER_DAY
from aisle.simulation.shoppers import ShopperKind
from aisle.simulation.visits import BROWSE_SHARE, NEEDS_PER_VISIT, draw_visits


@pytest.fixture(scope="module")
def many(market):
    return draw_visits(market.shoppers, num_needs=20_000, days=30, seed=0)


def test_there_are_about_as_many_needs_as_asked(many):
    assert many.num_needs.sum() == pytest.approx(20_000, rel=0.05)
    assert (many.num_needs == 0).mean() == pytest.approx(BROWSE_SHARE, abs=0.02)
    assert many.num_needs[many.num_needs > 0].mean() == pytest.approx(NEEDS_PER_VISIT, rel=0.03)


def test_visits_stand_by_shopper_and_time_well_apart(many):
    same = np.diff(many.user_index) == 0
    assert (np.diff(many.user_index) >= 0).all()
    assert np.diff(many.at)[same].min() >= 3 * 3600
    assert many.at.min() >= 0
    assert many.at.max() < 30 * SECONDS_PER_DAY - 3600


def test_active_shoppers_come_more_often(market, many):
    counts = np.bincount(many.user_index, minlength=len(market.shoppers))
    assert np.corrcoef(counts, market.shoppers.activity)[0, 1] > 0.95


def test_nights_are_quiet_and_weekends_busy(many):
    hour = many.at // 3600 % 24
    assert (hour == 20).sum() > 3 * (hour == 3).sum()
    day = np.bincount(many.at // SECONDS_PER_DAY, minlength=30)[:28].reshape(4, 7).sum(axis=0)
    assert day[6] > day[2]


def test_the_log_knows_shoppers_by_what_they_are(market, many):
    kind = market.shoppers.kind[many.user_index]
    anonymous = many.identity == ShopperKind.ANONYMOUS
    assert np.array_equal(anonymous, kind == ShopperKind.ANONYMOUS)
    signed_in = kind == ShopperKind.SIGNED_IN
    assert (many.identity[signed_in] == ShopperKind.RETURNING).mean() == pytest.approx(0.08, abs=0.02)
    assert (many.identity[~signed_in & ~anonymous] == ShopperKind.RETURNING).all()


def test_new_shoppers_come_later(market, many):
    first = np.full(len(market.shoppers), np.iinfo(np.int64).max)
    np.minimum.at(first, many.user_index, many.at)
    came = first < np.iinfo(np.int64).max
    new, old = (market.shoppers.kind == kind for kind in (ShopperKind.NEW, ShopperKind.RETURNING))
    assert first[new & came].mean() > 1.3 * first[old & came].mean()


def test_the_same_seed_gives_the_same_visits(market, many):
    again = draw_visits(market.shoppers, num_needs=20_000, days=30, seed=0)
    assert all(np.array_equal(getattr(again, name), column) for name, column in vars(many).items())
    assert not np.array_equal(draw_visits(market.shoppers, num_needs=20_000, days=30, seed=1).at, many.at)
