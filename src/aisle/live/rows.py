"""Rows of a request held to the data contract: the few of one call, each with what became of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from math import isfinite
from typing import Any

import orjson
import pyarrow as pa

from aisle.core.errors import UsageError
from aisle.tables import PRODUCTS, REASON, ROW, TIME, Column, TableSchema, validate

__all__ = ["Checked", "check_rows", "product_table"]

_TEXT, _LIST, _MAP = pa.string(), pa.list_(pa.string()), pa.map_(pa.string(), pa.string())
_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?(Z|[+-][0-9]{2}:[0-9]{2})")
_LEVEL = " > "


@dataclass(frozen=True)
class Checked:
    """One row of a request.

    Attributes:
        row: Its values in the contract's types, times as datetimes, without nulls; None where it cannot be used.
        problem: Why it cannot be used, or which of its values were left out; None where nothing is wrong.
    """

    row: dict[str, Any] | None
    problem: str | None = None


def check_rows(rows: Sequence[Any], schema: TableSchema) -> list[Checked]:
    """Hold rows to a schema, as `tables.validate` does with a file; but rows may repeat a key.

    What is plainly right, value by value, is taken as it is: casting a table of one row takes milliseconds. Everything
    else goes through `validate`, so one set of rules decides.

    Args:
        rows: As JSON gives them; columns that the schema does not know are kept as they are.
        schema: A table of the contract.

    Returns:
        One result per row, in their order.
    """
    checked = [_plainly(row, schema) for row in rows]
    unsure = [place for place, one in enumerate(checked) if one is None]
    for place, one in zip(unsure, _validated([dict(rows[place]) for place in unsure], schema), strict=True):
        checked[place] = one
    return [one for one in checked if one is not None]


def product_table(products: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return checked products as a table; times may be ISO 8601 text, as the journal gives them back.

    Columns that the contract does not know keep their values; where these are of several kinds, as JSON text.
    """
    names = dict.fromkeys(["product_id", "title", *(name for product in products for name in product)])
    return pa.table({name: _typed(name, [product.get(name) for product in products]) for name in names})


def _plainly(row: Any, schema: TableSchema) -> Checked | None:
    """Return a row that is plainly right or of no use at all; None for one that must be looked at more closely."""
    if not isinstance(row, Mapping):
        return _refused("A row must be an object", {"row": row})
    try:
        orjson.dumps(dict(row))
    except TypeError as error:  # half a character, a number beyond 64 bits, too deep
        return _refused("A row must be valid JSON and Unicode", {"problem": str(error)})
    settled = {name: value for name, value in row.items() if value is not None}
    if any(name not in settled for name in schema.required):
        return None
    for name, value in settled.items():
        column = schema.column(name)
        if column is None:
            continue
        settled[name] = _plain_value(value, column)
        if settled[name] is None:
            return None
    return Checked(settled)


def _plain_value(value: Any, column: Column) -> Any:
    """Return a value in its column's type where it is plainly right, else None."""
    kind = column.type
    if kind == _TEXT:
        is_right = _is_plain_text(value) and not column.choices
    elif kind == pa.float64():
        is_right = type(value) in (int, float) and isfinite(value) and _is_within(value, column)
        value = float(value) if is_right else value
    elif kind == pa.bool_():
        is_right = isinstance(value, bool)
    elif kind == TIME:
        value = _plain_time(value)
        is_right = value is not None
    elif kind == _LIST:
        is_right = isinstance(value, list) and bool(value) and all(map(_is_plain_text, value))
    else:
        is_right = kind == _MAP and isinstance(value, dict) and all(map(_is_plain_text, (*value, *value.values())))
    return value if is_right else None


def _is_plain_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value and bool(value.strip())


def _is_within(value: float, column: Column) -> bool:
    low = column.minimum is None or value >= column.minimum
    return (
        low and (column.above is None or value > column.above) and (column.maximum is None or value <= column.maximum)
    )


def _plain_time(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC) if value.tzinfo is not None else None
    if not (isinstance(value, str) and _ISO.fullmatch(value)):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):  # 30 February, or a year before the first
        return None


def _validated(rows: list[dict[str, Any]], schema: TableSchema) -> list[Checked]:
    if not rows:
        return []
    columns = [column for name in _names(rows, schema) if (column := schema.column(name)) is not None]
    table = pa.table({column.name: _lenient([row.get(column.name) for row in rows], column) for column in columns})
    result = validate(table, replace(schema, key=()), may_be_empty=True)
    reasons = dict(
        zip(result.quarantine.column(ROW).to_pylist(), result.quarantine.column(REASON).to_pylist(), strict=True)
    )
    usable = iter(result.table.to_pylist())
    checked = []
    for number, row in enumerate(rows, start=1):
        if number in reasons:
            checked.append(_refused(f"A row's {reasons[number]}", {name: row.get(name) for name in schema.required}))
        else:
            checked.append(_kept(row, next(usable), schema))
    return checked


def _names(rows: list[dict[str, Any]], schema: TableSchema) -> list[str]:
    return list(dict.fromkeys([*schema.required, *(name for row in rows for name in row)]))


def _kept(row: dict[str, Any], values: dict[str, Any], schema: TableSchema) -> Checked:
    extra = {name: value for name, value in row.items() if schema.column(name) is None and value is not None}
    found = {
        name: dict(value) if name == "attributes" else value for name, value in values.items() if value is not None
    }
    lost = {name: row[name] for name in values if name not in found and row.get(name) not in (None, "", [], {})}
    problem = None
    if lost:
        remedy = "The row is taken without them; send it again when they are mended."
        problem = str(
            UsageError("Values must be of their column's type and within its bounds", received=lost, remedy=remedy)
        )
    return Checked({**extra, **found}, problem)


def _refused(must: str, received: dict[str, object]) -> Checked:
    return Checked(None, str(UsageError(must, received=received, remedy="Mend the row and send it again.")))


def _lenient(values: list[Any], column: Column) -> pa.Array:
    """Return values of any kind as an Arrow column that `validate` can judge one by one."""
    if column.type == _LIST:
        return pa.array([_listed(value) for value in values], _LIST)
    if column.type == _MAP:
        # Under a blank key goes what is no map: validation names it.
        pairs = [value.items() if isinstance(value, dict) else value and [("", _text(value))] for value in values]
        return pa.array([one and [(key, _text(of) or "") for key, of in one] for one in pairs], _MAP)
    nested = (lambda _: None) if column.required else _text
    return pa.array([nested(value) if isinstance(value, list | dict) else _text(value) for value in values], _TEXT)


def _listed(value: Any) -> list[str | None] | None:
    if isinstance(value, str):
        return [level.strip() for level in value.split(_LEVEL)]
    return [_text(level) for level in value] if isinstance(value, list) else value and [_text(value)]


def _text(value: Any) -> str | None:
    """Write a JSON value as text, as a column of several kinds is read from a file."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime) else orjson.dumps(value).decode()


def _typed(name: str, values: list[Any]) -> pa.Array:
    column = PRODUCTS.column(name)
    if column is None:
        return _of_any_kind(values)
    if column.type == TIME:
        values = [datetime.fromisoformat(value) if isinstance(value, str) else value for value in values]
    elif column.type == _MAP:
        values = [value and list(dict(value).items()) for value in values]
    return pa.array(values, column.type)


def _of_any_kind(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        return pa.array([None if value is None else orjson.dumps(value).decode() for value in values], _TEXT)
