import pytest

from aisle.core.errors import UsageError
from aisle.store import NO_FILTER, ProductFilter


def test_a_filter_without_conditions_is_empty_and_one_with_any_is_not():
    assert ProductFilter().is_empty
    assert NO_FILTER.is_empty
    for conditions in ({"brands": ("a",)}, {"in_stock": False}, {"price_min": 0.0}, {"attributes": {"x": ("1",)}}):
        assert not ProductFilter(**conditions).is_empty


def test_a_range_of_prices_that_holds_none_is_refused():
    with pytest.raises(UsageError, match="price_min=9"):
        ProductFilter(price_min=9.0, price_max=1.0)
