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


def test_filters_of_other_conditions_have_other_keys():
    values = {"category": ("a",), "brands": ("a",), "shop_ids": ("a",), "locations": ("a",), "blocked": ("a",)}
    values |= {"price_min": 1.0, "price_max": 1.0, "in_stock": False, "attributes": {"x": ("a",)}}
    filters = [NO_FILTER, *(ProductFilter(**{name: value}) for name, value in values.items())]
    assert len({where.key for where in filters}) == len(filters)
    assert ProductFilter(attributes={"x": ("a",)}).key == filters[-1].key


PRODUCT = {"product_id": "a", "category": ["Home", "Lamps"], "brand": "Nor", "shop_id": "s", "price": 5.0}
PRODUCT |= {"location": "de", "in_stock": False, "attributes": {"colour": "red"}}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, True),
        ({"category": ("Home",)}, True),
        ({"category": ("Lamps",)}, False),
        ({"category": ("Home", "Lamps", "Desk")}, False),
        ({"brands": ("X", "Nor")}, True),
        ({"brands": ("X",)}, False),
        ({"shop_ids": ("s",), "locations": ("fr",)}, False),
        ({"price_min": 5.0, "price_max": 5.0}, True),
        ({"price_min": 5.01}, False),
        ({"price_max": 4.99}, False),
        ({"in_stock": False}, True),
        ({"in_stock": True}, False),
        ({"attributes": {"colour": ("blue", "red")}}, True),
        ({"attributes": {"size": ("M",)}}, False),
        ({"blocked": ("a",)}, False),
    ],
)
def test_a_product_passes_as_it_would_in_a_search(where, expected):
    assert ProductFilter(**where).passes(PRODUCT) is expected


@pytest.mark.parametrize(
    "where",
    [{"category": ("Home",)}, {"brands": ("Nor",)}, {"price_max": 9.0}, {"in_stock": False}, {"in_stock": True}],
)
def test_what_is_not_known_does_not_pass(where):
    assert ProductFilter(**where).passes({"product_id": "b"}) is False
