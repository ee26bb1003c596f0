"""A filter as Qdrant takes it: the same conditions for the engine in this process and for a cluster."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aisle.store.filters import ProductFilter
from aisle.store.payload import PayloadSchema, path_keys

__all__ = ["FilterTypes", "qdrant_filter"]


@dataclass(frozen=True)
class FilterTypes:
    """The classes that the engine's or the client's package has for parts of a filter; values are their arguments.

    Attributes:
        filter: Called with `must` and `must_not`.
        condition: Called with `key`, and `match` or `range`.
        match_any: Called with `any`.
        range: Called with `gte` and `lte`.
    """

    filter: Any
    condition: Any
    match_any: Any
    range: Any


def qdrant_filter(where: ProductFilter, schema: PayloadSchema, types: FilterTypes) -> Any | None:
    """Return the engine's filter; None where every product passes.

    Values are passed as values, never as text of a query.

    Args:
        where: What must hold.
        schema: Under which keys fields are found.
        types: The engine's classes.
    """
    if where.is_empty:
        return None

    def any_of(key: str, values: tuple[str, ...]) -> list[Any]:
        return [types.condition(key=key, match=types.match_any(any=list(values)))] if values else []

    must: list[Any] = []
    if where.category:
        must += any_of(schema.key_of("category"), path_keys(where.category)[-1:])
    must += any_of(schema.key_of("brand"), where.brands)
    must += any_of(schema.key_of("shop_id"), where.shop_ids)
    must += any_of(schema.key_of("location"), where.locations)
    for name, values in where.attributes.items():
        must += any_of(*schema.attribute_values(name, values))
    if where.in_stock is not None:
        must += any_of(schema.key_of("in_stock"), (schema.stock_value(where.in_stock),))
    if where.price_min is not None or where.price_max is not None:
        price = types.range(gte=where.price_min, lte=where.price_max)
        must.append(types.condition(key=schema.price_key, range=price))
    return types.filter(must=must, must_not=any_of(schema.key_of("product_id"), where.blocked))
