import numpy as np
import pytest

from aisle.core.ranking import NO_PRODUCT
from aisle.simulation.shelves import Shelves


@pytest.fixture(scope="module")
def shelves(market):
    return Shelves(market.stock)


def on_sale(market, department, at):
    every = np.arange(len(market.stock))
    inside = np.full(len(every), True) if department == market.stock.num_departments else None
    inside = market.stock.department == department if inside is None else inside
    return every[inside & market.stock.on_sale(every[None, :], np.array([at]))[0]]


def test_what_is_on_sale_is_counted(market, shelves):
    departments = np.array([0, 3, market.stock.num_departments, 3])
    at = np.array([0, 86_400 * 15, 86_400 * 29, 0])
    expected = [len(on_sale(market, *row)) for row in zip(departments.tolist(), at.tolist(), strict=True)]
    assert shelves.num_on_sale(departments, at).tolist() == expected


def test_products_of_the_department_are_counted(market, shelves):
    products = np.array([[*np.flatnonzero(market.stock.department == 1)[:3], NO_PRODUCT]])
    counts = [shelves.num_of(np.array([d]), products)[0] for d in (1, 2, market.stock.num_departments)]
    assert counts == [3, 0, 3]


def test_every_product_of_the_department_is_picked_equally_often(market, shelves):
    department = int(market.stock.department[0])
    chance = np.linspace(0, 1, 100_000, endpoint=False)
    picked = shelves.pick(np.full(len(chance), department), chance)
    members = np.flatnonzero(market.stock.department == department)
    counts = np.bincount(picked, minlength=len(market.stock))
    assert counts[members] == pytest.approx(len(chance) / len(members), abs=2)
    assert counts.sum() == counts[members].sum()


def test_places_are_filled_with_what_is_popular_and_new(market, shelves):
    department = int(np.bincount(market.stock.department).argmax())
    start = on_sale(market, department, 0)[:2]
    ranking = np.full((1, 24), NO_PRODUCT)
    ranking[0, :2] = start
    filled = shelves.fill_up(ranking, np.array([department]), np.array([0]))[0]
    assert filled[:2].tolist() == start.tolist()
    assert len(set(filled)) == 24
    assert np.isin(filled, on_sale(market, department, 0)).all()
    assert market.stock.popularity[filled[2:]].min() > 0.8
