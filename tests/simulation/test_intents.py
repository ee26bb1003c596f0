import numpy as np
import pytest

from aisle.simulation.gifts import Gifts
from aisle.simulation.intents import IntentDrawer
from aisle.simulation.needs import ANY, Needs, QueryKind
from aisle.simulation.rows import take_rows

NUM = 20_000


@pytest.fixture(scope="module")
def needs(draw_needs):
    return draw_needs(NUM)


def test_a_need_is_the_same_in_any_company(market, needs):
    drawer = IntentDrawer(market.world, market.shoppers, Gifts(market.world.truth.vocabulary), seed=market.seed)
    rows = np.array([7, 3, 9_000])
    alone = drawer.draw(needs.need[rows], needs.user_index[rows])
    assert isinstance(alone, Needs)
    for name, column in vars(take_rows(needs, rows)).items():
        assert np.array_equal(getattr(alone, name), column), name


def test_what_is_wanted_is_sold(market, needs):
    """Some product of the type has all wanted values and the wanted brand; gifts want what suits the person."""
    truth = market.world.truth
    for row in np.flatnonzero(needs.persona < 0)[:500]:
        of_type = truth.type_index == needs.type_index[row]
        wanted = needs.wanted[row] >= 0
        fits = (truth.value_index[:, wanted] == needs.wanted[row, wanted]).all(axis=1) & of_type
        if needs.brand_index[row] != ANY:
            fits &= truth.brand_index == needs.brand_index[row]
        assert fits.any()


def test_shoppers_want_what_they_have_a_taste_for(market, needs):
    department = market.world.department_of_type[needs.type_index]
    own = market.shoppers.departments[needs.user_index, department]
    other = market.shoppers.departments[np.roll(needs.user_index, 1), department]
    assert own.mean() > 2 * other.mean()


def test_broad_queries_stand_for_vague_needs_and_long_ones_for_precise_needs(needs):
    num_wanted = (needs.wanted >= 0).sum(axis=1)
    by_kind = [num_wanted[needs.kind == kind].mean() for kind in (QueryKind.BROAD, QueryKind.DETAILED, QueryKind.LONG)]
    assert by_kind == sorted(by_kind)
    assert by_kind[0] < 0.7 < 1 <= by_kind[1]


def test_no_more_is_stated_than_is_wanted(needs):
    assert (needs.num_stated <= (needs.wanted >= 0).sum(axis=1)).all()
    own_words = needs.kind == QueryKind.OWN_WORDS
    assert (needs.num_stated[needs.kind == QueryKind.BROAD] == 0).all()
    assert needs.num_stated[own_words].mean() > 0.8


def test_gifts_are_for_somebody_and_nothing_else_is(needs):
    assert np.array_equal(needs.persona >= 0, needs.kind == QueryKind.GIFT)
    assert (needs.kind == QueryKind.GIFT).mean() > 0.005


def test_demand_is_uneven(market, needs):
    counts = np.sort(np.bincount(needs.type_index, minlength=len(market.world.truth.vocabulary.types)))[::-1]
    assert counts[:10].sum() > 0.3 * NUM
    assert ((counts > 0) <= 1).all()
    sold = np.unique(market.world.truth.type_index)
    assert np.isin(needs.type_index, sold).all()
