"""What a result may hold: conditions on the fields of products, all of which must be met."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from aisle.core.errors import UsageError

__all__ = ["FACET_FIELDS", "NO_FILTER", "ProductFilter"]

FACET_FIELDS = ("category", "brand", "shop_id", "location", "in_stock")
"""Fields whose values can be counted; `attributes.NAME` is another for every attribute."""


@dataclass(frozen=True)
class ProductFilter:
    """Conditions on products; what is empty or None asks for nothing.

    A product whose field is not known does not meet a condition on that field.

    Attributes:
        category: Path from the root: products in it or anywhere below it.
        brands: Any of these.
        shop_ids: Any of these.
        price_min: Lowest price, inclusive.
        price_max: Highest price, inclusive.
        locations: Any of these countries or regions.
        in_stock: Whether products must be in stock, or must not.
        attributes: By name of the attribute, any of these values.
        blocked: Product ids that must not be shown.
    """

    category: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    shop_ids: tuple[str, ...] = ()
    price_min: float | None = None
    price_max: float | None = None
    locations: tuple[str, ...] = ()
    in_stock: bool | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    blocked: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        low, high = self.price_min, self.price_max
        if low is not None and high is not None and low > high:
            raise UsageError(
                "The lowest price must not be above the highest",
                received={"price_min": low, "price_max": high},
                remedy="Swap them.",
            )

    @property
    def is_empty(self) -> bool:
        """Whether every product passes."""
        return self == NO_FILTER

    @property
    def key(self) -> Hashable:
        """Tells this filter from others, where they are remembered."""
        texts = (self.category, self.brands, self.shop_ids, self.locations, self.blocked)
        attributes = tuple((name, tuple(values)) for name, values in self.attributes.items())
        return (*map(tuple, texts), attributes, self.price_min, self.price_max, self.in_stock)

    def passes(self, product: Mapping[str, Any]) -> bool:
        """Tell whether a product passes, as a store's search would.

        Args:
            product: Its fields, as `ProductStore.products` gives them.
        """
        path = tuple(name or "" for name in product.get("category") or ())
        if path[: len(self.category)] != self.category or product.get("product_id") in self.blocked:
            return False
        texts = (("brand", self.brands), ("shop_id", self.shop_ids), ("location", self.locations))
        if any(wanted and product.get(name) not in wanted for name, wanted in texts):
            return False
        if self.in_stock is not None and product.get("in_stock") is not self.in_stock:
            return False
        return self._has_attributes(product) and self._has_price(product.get("price"))

    def _has_attributes(self, product: Mapping[str, Any]) -> bool:
        if not self.attributes:
            return True
        attributes = dict(product.get("attributes") or {})
        return all(not wanted or attributes.get(name) in wanted for name, wanted in self.attributes.items())

    def _has_price(self, price: float | None) -> bool:
        low, high = self.price_min, self.price_max
        if low is None and high is None:
            return True
        return price is not None and (low is None or price >= low) and (high is None or price <= high)


NO_FILTER = ProductFilter()
"""Lets every product pass."""
