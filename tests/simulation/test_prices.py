import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aisle.simulation.choices import Chances
from aisle.simulation.prices import draw_prices, price_levels


def test_prices_are_log_normal_around_the_median_of_the_type(truth):
    price = draw_prices(truth, Chances(7, truth.model_index), seed=7)
    median = np.array([kind.median_price for kind in truth.vocabulary.types])[truth.type_index]
    logs = np.log(price / median)
    assert abs(np.median(logs)) < 0.05
    assert 0.4 <= logs.std() <= 0.65
    assert abs(np.mean(((logs - logs.mean()) / logs.std()) ** 3)) < 0.3


def test_half_of_the_prices_end_in_ninety_nine(truth):
    price = draw_prices(truth, Chances(7, truth.model_index), seed=7)
    assert 0.4 <= np.isclose(price % 1, 0.99).mean() <= 0.6
    assert price.min() >= 0.5


def test_levels_by_hand():
    assert price_levels(np.array([5.0, 5.0, 1.0, np.e**2]), np.array([3, 3, 1, 1])).tolist() == [0.0, 0.0, -1.0, 1.0]


@given(arrays(np.float64, 12, elements=st.floats(0.5, 1e5)))
def test_levels_are_standardised_within_each_type_and_keep_the_order(price):
    kinds = np.repeat([0, 2], 6)
    level = price_levels(price, kinds).reshape(2, 6)
    assert np.allclose(level.mean(axis=1), 0, atol=1e-3)
    assert (np.isclose(level.std(axis=1), 1, atol=1e-3) | (level == 0).all(axis=1)).all()
    for row, of_type in zip(level, price.reshape(2, 6), strict=True):
        assert (np.diff(row[np.argsort(of_type)]) >= -1e-6).all()
