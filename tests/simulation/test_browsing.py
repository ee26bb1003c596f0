import dataclasses

import numpy as np
import pytest

from aisle.core.ranking import NO_PRODUCT
from aisle.simulation.browsing import Browsing

NUM = 20_000


@pytest.fixture(scope="module")
def browsing(market):
    return Browsing(market.utility, market.stock, seed=1)


@pytest.fixture(scope="module")
def needs(draw_needs):
    return draw_needs(NUM)


@pytest.fixture(scope="module")
def pages(market, needs):
    """Products of the wanted type at random, another type at every fourth place."""
    rng = np.random.default_rng(0)
    by_type = np.argsort(market.stock.type_index, kind="stable")
    start = np.searchsorted(market.stock.type_index[by_type], needs.type_index)
    size = np.bincount(market.stock.type_index)[needs.type_index]
    pages = by_type[start[:, None] + (rng.random((NUM, 24)) * size[:, None]).astype(int)]
    pages[:, 3::4] = rng.integers(len(market.stock), size=(NUM, 6))
    return pages


FIRST = np.zeros(NUM, np.int8)


@pytest.fixture(scope="module")
def actions(browsing, needs, pages):
    return browsing.act(needs, pages, attempt=FIRST)


def test_clicks_at_the_first_place_are_what_the_model_promises(browsing, needs, pages, actions):
    """Nobody has left before the first place, so examination times attraction is the whole probability."""
    promised = browsing.examination(needs, 24) * browsing.attraction(needs, pages, attempt=FIRST)
    expected = promised[:, 0].sum()
    assert actions.clicked[:, 0].sum() == pytest.approx(expected, abs=4 * float(np.sqrt(expected)))


def test_clicks_on_pages_that_nobody_buys_from_are_what_the_model_promises(browsing, needs, pages):
    picky = dataclasses.replace(needs, threshold=needs.threshold + 3)
    clicked = browsing.act(picky, pages, attempt=FIRST).clicked
    promised = (browsing.examination(picky, 24) * browsing.attraction(picky, pages, attempt=FIRST)).sum(axis=0)
    assert clicked.sum(axis=0) == pytest.approx(promised, abs=5 * float(np.sqrt(promised.max())) + 1)


def test_examination_falls_with_the_place(browsing, needs, actions):
    examination = browsing.examination(needs, 24).mean(axis=0)
    assert (np.diff(examination) < 0).all()
    assert examination[0] > 0.85
    assert examination[23] < 0.25
    same_kind = actions.clicked[:, [0, 4, 8, 12, 16]].sum(axis=0)
    assert (np.diff(same_kind) < 0).all()


def test_stages_imply_those_before(actions):
    assert not (actions.carted & ~actions.clicked).any()
    assert not (actions.ordered & ~actions.carted).any()
    assert not (actions.favorited & ~actions.clicked).any()
    assert actions.carted.sum() > actions.ordered.sum() > 100
    assert actions.favorited.sum() > 100


def test_whoever_buys_is_done(actions):
    assert actions.ordered.sum(axis=1).max() == 1
    rows = actions.ordered.any(axis=1)
    after = np.cumsum(actions.ordered, axis=1) - actions.ordered > 0
    assert not (actions.clicked & after).any()
    assert actions.is_content[rows].all()
    assert not actions.is_content[~actions.carted.any(axis=1)].any()


def test_orders_answer_to_hidden_utility(market, needs, pages, actions):
    worth = market.utility.of(needs, pages) - needs.threshold[:, None]
    assert worth[actions.ordered].mean() > worth[actions.carted & ~actions.ordered].mean()
    assert worth[actions.carted].mean() > worth[actions.clicked & ~actions.carted].mean()
    assert worth[actions.ordered].mean() > 0


def test_what_is_not_there_is_not_clicked(browsing, needs, pages):
    holes = pages.copy()
    holes[:, ::2] = NO_PRODUCT
    assert not browsing.act(needs, holes, attempt=FIRST).clicked[:, ::2].any()


def test_another_query_is_another_look(browsing, needs, pages, actions):
    again = browsing.act(needs, pages, attempt=FIRST + np.int8(1))
    assert not np.array_equal(again.clicked, actions.clicked)
    assert np.array_equal(browsing.act(needs, pages, attempt=FIRST).clicked, actions.clicked)


def test_only_those_who_mean_to_buy_buy(actions):
    assert 0.5 < actions.is_ready.mean() < 0.7
    assert not actions.ordered[~actions.is_ready].any()
    assert 0 < actions.carted[~actions.is_ready].mean() < 0.5 * actions.carted[actions.is_ready].mean()
    assert actions.clicked[~actions.is_ready].mean() > 0.8 * actions.clicked[actions.is_ready].mean()
