import numpy as np
import pytest

from aisle.simulation.browsing import Actions
from aisle.simulation.clock import NEVER
from aisle.simulation.timing import Timing

AT = 1_000
LOG_END = 30 * 86_400


def stamp(market, needs, *, clicked=(), carted=(), ordered=(), log_end=LOG_END):
    """Stamp the same actions on a page of products that are on sale throughout, for every need."""
    always = np.flatnonzero((market.stock.arrived_at <= 0) & (market.stock.removed_at == NEVER))[:24]

    def at(places):
        flags = np.zeros((len(needs), 24), bool)
        flags[:, list(places)] = True
        return flags

    nobody = np.zeros(len(needs), bool)
    actions = Actions(at(clicked), at(()), at(carted), at(ordered), nobody, nobody)
    return Timing(market.stock, log_end=log_end, seed=0).stamp(
        needs,
        actions,
        np.tile(always, (len(needs), 1)),
        attempt=np.zeros(len(needs), np.int8),
        at=np.full(len(needs), AT),
    )


def test_actions_follow_one_another_down_the_page(market, draw_needs):
    stamps = stamp(market, draw_needs(200), clicked=[0, 3, 9], carted=[3], ordered=[3])
    first, second, third = (stamps.clicked_at[:, place] for place in (0, 3, 9))
    carted, ordered = stamps.carted_at[:, 3], stamps.ordered_at[:, 3]
    assert (first > AT).all()
    assert (first < second).all()
    assert (second < carted).all()
    assert (carted < third).all(), "the next product is looked at after this one is in the cart"
    assert (carted < ordered).all()
    assert (stamps.ended_at > ordered).all()
    assert (stamps.clicked_at[:, [1, 2, 4]] == NEVER).all()


def test_without_actions_the_page_is_left_soon(market, draw_needs):
    stamps = stamp(market, draw_needs(200))
    assert (stamps.ended_at - AT < 60).all()
    assert (stamps.ordered_at == NEVER).all()


def test_some_left_carts_are_bought_hours_later_within_the_log(market, draw_needs):
    needs = draw_needs(5_000)
    stamps = stamp(market, needs, clicked=[2], carted=[2])
    later = stamps.ordered_at[:, 2] != NEVER
    assert later.mean() == pytest.approx(0.06, abs=0.015)
    assert (stamps.ordered_at[later, 2] - stamps.carted_at[later, 2] >= 3_600).all()
    assert (stamps.ended_at < AT + 300).all()
    soon = stamp(market, needs, clicked=[2], carted=[2], log_end=AT + 7_200)
    assert (soon.ordered_at[soon.ordered_at != NEVER] < AT + 7_200).all()
    assert 0 < (soon.ordered_at != NEVER).sum() < later.sum()
