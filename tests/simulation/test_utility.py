import dataclasses

import numpy as np
import pytest

from aisle.simulation.intents import THRESHOLD_MEAN
from aisle.simulation.needs import ANY
from aisle.simulation.rows import take_rows
from aisle.simulation.utility import MOST_BESIDE_TYPE, OTHER_TYPE, RELATED_TYPE, type_relations

NUM = 400


@pytest.fixture(scope="module")
def needs(draw_needs):
    return draw_needs(NUM)


@pytest.fixture(scope="module")
def products(market):
    return np.random.default_rng(0).integers(len(market.world), size=(NUM, 50))


def only(needs, row, **columns):
    """One need, changed."""
    one = take_rows(needs, np.array([row]))
    return dataclasses.replace(one, **{name: np.array([value]) for name, value in columns.items()})


def test_the_parts_add_up(market, needs, products):
    parts = market.utility.parts(needs, products)
    fit = np.array([0, RELATED_TYPE, OTHER_TYPE])[parts.relation]
    total = fit + parts.details + parts.taste + parts.quality + parts.chance
    assert market.utility.of(needs, products) == pytest.approx(total, abs=1e-4)


def test_utility_does_not_depend_on_the_company(market, needs, products):
    rows = np.array([5, 2])
    alone = market.utility.of(take_rows(needs, rows), products[rows][:, ::-1])[:, ::-1]
    assert alone == pytest.approx(market.utility.of(needs, products)[rows], abs=1e-5)


def test_nothing_makes_up_for_the_wrong_type(market, needs, products):
    parts = market.utility.parts(dataclasses.replace(needs, ordered_before=np.full(NUM, ANY)), products)
    beside = parts.details + parts.taste + parts.quality + parts.chance
    assert beside.max() < MOST_BESIDE_TYPE
    assert RELATED_TYPE + MOST_BESIDE_TYPE < THRESHOLD_MEAN - 0.35 * 3.5


def test_each_wanted_value_that_is_there_counts(market, needs):
    truth = market.world.truth
    row = int(np.flatnonzero((needs.wanted >= 0).sum(axis=1) == 1)[0])
    column = int(np.flatnonzero(needs.wanted[row] >= 0)[0])
    one = only(needs, row, brand_index=ANY, ordered_before=ANY)
    products = np.flatnonzero(truth.type_index == needs.type_index[row])[None, :]
    has = truth.value_index[products[0], column] == needs.wanted[row, column]
    details = market.utility.details(one, products)[0]
    assert set(details[has]) == {np.float32(0.5)}
    assert (details[~has] < 0).all()


def test_the_wanted_brand_and_what_was_bought_before_count(market, needs):
    product = 17
    none = only(needs, 0, brand_index=ANY, ordered_before=ANY)
    brand = only(needs, 0, brand_index=int(market.world.truth.brand_index[product]), ordered_before=ANY)
    habit = only(needs, 0, brand_index=ANY, ordered_before=product)
    page = np.array([[product]])
    base = market.utility.details(none, page)[0, 0]
    assert market.utility.details(brand, page)[0, 0] == pytest.approx(base + 0.5)
    assert market.utility.details(habit, page)[0, 0] == pytest.approx(base + 2.0)


def test_shoppers_like_their_style_and_their_price(market, needs, products):
    taste = market.utility.taste(needs, products)
    style = np.einsum("rps,rs->rp", market.world.style[products], market.shoppers.style[needs.user_index])
    mine = needs.persona < 0
    assert np.corrcoef(taste[mine].ravel(), style[mine].ravel())[0, 1] > 0.4
    gap = market.world.price_level[products] - market.shoppers.price_level[needs.user_index, None]
    dear = gap > 1.5
    assert taste[dear].mean() < taste[np.abs(gap) < 0.5].mean()


def test_givers_think_of_another_persons_style(market, needs, products):
    row = int(np.flatnonzero(needs.persona < 0)[0])
    self_, other = only(needs, row, persona=ANY), only(needs, row, persona=0)
    page = products[[row]]
    assert not np.allclose(market.utility.taste(self_, page), market.utility.taste(other, page))


def test_without_a_need_taste_quality_and_chance_are_left(market, needs, products):
    plain = dataclasses.replace(needs, persona=np.full(NUM, ANY), price_shift=np.zeros(NUM, np.float32))
    parts = market.utility.parts(plain, products)
    expected = parts.taste + parts.quality + parts.chance
    assert market.utility.without_need(needs.user_index, products) == pytest.approx(expected, abs=1e-5)


def test_types_are_related_under_one_parent(market):
    relation = type_relations(market.world)
    types = market.world.truth.vocabulary.types
    assert (np.diag(relation) == 0).all()
    first, second = np.argwhere(relation == 1)[0]
    assert types[first].category[:2] == types[second].category[:2]
    assert (relation == relation.T).all()
