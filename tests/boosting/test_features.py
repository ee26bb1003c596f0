import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.boosting import QualityFeatures, mid_ranks, robust_scale
from aisle.boosting.features import NEUTRAL
from aisle.core.errors import ShapeError


def test_ranks_do_not_feel_the_scale_and_keep_what_is_not_known():
    values = np.array([10.0, np.nan, 1000.0, 20.0, 20.0])
    expected = np.array([0, np.nan, 1, 0.5, 0.5])
    assert mid_ranks(values) == pytest.approx(expected, nan_ok=True)
    assert mid_ranks(np.log(values)) == pytest.approx(expected, nan_ok=True)


def test_an_outlier_does_not_flatten_the_rest():
    values = np.append(np.linspace(0, 1, 999), 1e9)
    scaled = robust_scale(values)
    assert scaled[500] == pytest.approx(0.5, abs=0.02)
    assert (scaled.min(), scaled.max()) == (0, 1)


def test_a_column_that_hardly_differs_tells_who_is_above():
    assert robust_scale(np.array([0.0] * 999 + [3.0]))[-2:].tolist() == [0, 1]
    assert np.isnan(robust_scale(np.array([np.nan, np.nan]))).all()


@given(st.lists(st.floats(-1e6, 1e6) | st.just(np.nan), min_size=1, max_size=40))
def test_scaled_values_lie_between_0_and_1_and_keep_the_order(values):
    values = np.array(values)
    for scaled in (mid_ranks(values), robust_scale(values)):
        known = scaled[np.isfinite(values)]
        assert np.isnan(scaled[np.isnan(values)]).all()
        assert ((known >= 0) & (known <= 1)).all()
        order = np.argsort(values[np.isfinite(values)], kind="stable")
        assert (np.diff(known[order]) >= 0).all()


def test_columns_that_tell_nothing_are_left_out_and_gaps_are_in_the_middle():
    made = QualityFeatures.of_columns(
        {
            "stars": np.array([0.0, np.nan, 1.0]),
            "same": np.full(3, 0.7),
            "unknown": np.full(3, np.nan),
        }
    )
    assert made.names == ("stars",)
    assert made.values[:, 0].tolist() == [0, NEUTRAL, 1]
    nothing = QualityFeatures.of_columns({"same": np.full(3, 0.7)})
    assert (nothing.names, nothing.values.shape) == ((), (3, 0))


def test_a_boost_is_the_weighted_sum_within_its_limit():
    made = QualityFeatures.of_columns({"a": np.array([0.0, 0.5, 1.0]), "b": np.array([1.0, 0.0, 1.0])})
    assert made.boost(np.array([0.2, -0.1]), limit=1.0) == pytest.approx(np.array([-0.1, 0.1, 0.1]))
    assert made.boost(np.array([2.0, -1.0]), limit=0.3) == pytest.approx(np.array([-0.3, 0.3, 0.3]))
    with pytest.raises(ShapeError, match="one weight per feature"):
        made.boost(np.array([1.0]), limit=1.0)


def test_columns_of_other_products_are_refused():
    with pytest.raises(ShapeError, match="same products"):
        QualityFeatures.of_columns({"a": np.zeros(3), "b": np.zeros(2)})
