"""Casts a column to the contract and finds the rows that break its rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool

from aisle.core.ids import IdMap
from aisle.tables.casts import Cast, as_mask
from aisle.tables.numbers import to_bool, to_float, to_int32
from aisle.tables.problems import Action
from aisle.tables.schema import TIME, Column
from aisle.tables.texts import to_text, to_text_list, to_text_map
from aisle.tables.times import to_time

__all__ = ["Finding", "apply_rules", "cast_column"]

_CASTS: dict[pa.DataType, tuple[Callable[[pa.ChunkedArray], Cast], str]] = {
    pa.string(): (to_text, "must be text"),
    pa.float64(): (to_float, "must be a number"),
    pa.int32(): (to_int32, "must be a whole number"),
    pa.bool_(): (to_bool, "must be true or false"),
    TIME: (to_time, "must be an ISO 8601 time or an epoch number"),
    pa.list_(pa.string()): (to_text_list, "must be a list of texts"),
    pa.map_(pa.string(), pa.string()): (to_text_map, "must be a map, a JSON object or k:v|k:v"),
}


@dataclass(frozen=True)
class Finding:
    """Rows that break one rule."""

    columns: tuple[str, ...]
    rule: str
    action: Action
    mask: Bool[np.ndarray, " rows"]


def cast_column(values: pa.ChunkedArray, wanted: pa.DataType) -> Cast:
    """Cast a column to one of the contract's types; see the module of each type for what it can read."""
    if pa.types.is_null(values.type):
        return Cast(pa.chunked_array([pa.nulls(len(values), wanted)], wanted), np.zeros(len(values), np.bool_))
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    return _CASTS[wanted][0](values)


def apply_rules(
    values: pa.ChunkedArray,
    column: Column,
    *,
    known_products: IdMap | None = None,
    known_searches: IdMap | None = None,
) -> tuple[pa.ChunkedArray, list[Finding]]:
    """Cast one column and check its values.

    Args:
        values: The column as it came.
        column: What it must be.
        known_products: The catalogue's ids; None where it is not known.
        known_searches: The log's search ids; None where they are not known.

    Returns:
        The column in its contract type, values that broke a rule null unless their whole row is set aside; and the
        findings, those without rows left out.
    """
    cast = cast_column(values, column.type)
    texts = cast.values
    if column.default is not None:
        texts = pc.if_else(pa.array(cast.bad), texts, pc.fill_null(texts, column.default))
    action: Action = "quarantined" if column.quarantines else "nulled"
    found = [Finding((column.name,), _CASTS[column.type][1], action, cast.bad)]
    if column.required:
        absent = as_mask(pc.is_null(texts)) & ~cast.bad
        found.append(Finding((column.name,), "must be present and not blank", "quarantined", absent))
    found += [Finding((column.name,), rule, action, mask) for rule, mask in _value_rules(texts, column)]
    if column.names_product and known_products is not None:
        rule = "must be a product of the catalogue"
        found.append(Finding((column.name,), rule, "quarantined", _unknown(texts, known_products)))
    if column.names_search and known_searches is not None:
        rule = "must be a search of the searches table"
        found.append(Finding((column.name,), rule, "quarantined", _unknown(texts, known_searches)))
    found = [finding for finding in found if finding.mask.any()]
    for finding in found:
        if finding.action == "nulled":
            texts = _set_null(texts, finding.mask)
    return texts, found


def _unknown(texts: pa.ChunkedArray, known: IdMap) -> Bool[np.ndarray, " rows"]:
    return as_mask(pc.and_(pc.is_valid(texts), pc.invert(pc.is_in(texts, value_set=known.ids))))


def _value_rules(values: pa.ChunkedArray, column: Column) -> Iterator[tuple[str, Bool[np.ndarray, " rows"]]]:
    if pa.types.is_floating(column.type):
        yield "must be finite", as_mask(pc.invert(pc.is_finite(values)))
    if column.minimum is not None:
        yield f"must be at least {column.minimum:g}", as_mask(pc.less(values, column.minimum))
    if column.above is not None:
        yield f"must be greater than {column.above:g}", as_mask(pc.less_equal(values, column.above))
    if column.maximum is not None:
        yield f"must be at most {column.maximum:g}", as_mask(pc.greater(values, column.maximum))
    if column.choices:
        known = pc.is_in(values, value_set=pa.array(column.choices, values.type))
        yield f"must be one of {', '.join(column.choices)}", as_mask(pc.and_(pc.is_valid(values), pc.invert(known)))


def _set_null(values: pa.ChunkedArray, mask: Bool[np.ndarray, " rows"]) -> pa.ChunkedArray:
    if not mask.any() or values.null_count == len(values):
        return values
    return pc.if_else(pa.array(mask), pa.scalar(None, values.type), values)
