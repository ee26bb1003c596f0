import dataclasses

import numpy as np
import pytest

from aisle.core.ranking import NO_PRODUCT
from aisle.simulation.stock import Stock


def test_popularity_is_the_rank_among_products_of_the_type(market):
    num_ratings = market.products.column("quality_num_ratings").to_numpy()
    of_type = np.flatnonzero(market.stock.type_index == market.stock.type_index[0])
    best = of_type[num_ratings[of_type].argmax()]
    assert num_ratings[of_type][market.stock.popularity[of_type].argmax()] == num_ratings[best]
    assert market.stock.popularity[of_type].max() == 1
    assert market.stock.popularity[of_type].min() == pytest.approx(1 / len(of_type))


def test_few_ratings_say_little(market):
    num_ratings = market.products.column("quality_num_ratings").to_numpy()
    stars = market.products.column("quality_rating").to_numpy()
    assert (market.stock.rating[num_ratings == 0] == 0).all()
    few, many = (np.abs(market.stock.rating[rows]).mean() for rows in ((num_ratings == 1), (num_ratings > 30)))
    assert few < many
    assert np.corrcoef(stars[num_ratings > 30], market.stock.rating[num_ratings > 30])[0, 1] > 0.9


def test_on_sale_is_what_has_arrived_is_not_gone_and_is_in_stock(market):
    stock = dataclasses.replace(
        market.stock,
        arrived_at=np.array([-5, 10, 0] + [0] * 2_997),
        removed_at=np.array([20, 99, 0] + [9] * 2_997),
    )
    page = np.array([[0, 1, 2, NO_PRODUCT]] * 4)
    expected = [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]
    assert stock.on_sale(page, np.array([0, 10, 20, 99])).tolist() == np.array(expected, bool).tolist()


def test_out_of_stock_products_are_never_on_sale(market):
    gone = np.flatnonzero(~market.products.column("in_stock").to_numpy())
    assert len(gone) > 50
    for at in (0, 10 * 86_400):
        assert not market.stock.on_sale(gone[None, :], np.array([at])).any()


def test_a_catalogue_without_stock_column_is_all_in_stock(market):
    stock = Stock.of(market.world, market.products.drop_columns("in_stock"))
    assert np.array_equal(stock.arrived_at, market.world.arrived_at)
