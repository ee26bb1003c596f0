"""A catalogue and the changes that a journal holds for it, as one table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64

from aisle.core.errors import TableError
from aisle.core.ids import UNKNOWN, IdMap
from aisle.store.journal_records import JournalledChange, to_micros
from aisle.tables import PRODUCTS, REASON, TIME, validate

__all__ = ["changed_products", "merge_changes"]

_NEVER = np.iinfo(np.int64).min


def merge_changes(products: pa.Table, changes: Sequence[JournalledChange]) -> pa.Table:
    """Bring a catalogue to the state that the changes lead to: of every product the newest `updated_at` counts.

    A change counts before a row of the same time, and a row without a time is older than any change. A product that
    was changed keeps its place; new ones stand behind the others, in the order of their first change. Changes may be
    merged in parts, one after the other.

    Args:
        products: A validated products table.
        changes: In the order of the journal.

    Returns:
        The table with the columns of the catalogue, then those that only changes have; `updated_at` of a changed
        product is that of its change.

    Raises:
        TableError: If a change is no product by the contract of tables.
    """
    if not changes:
        return products
    first, newest = _first_and_newest(changes)
    ids = IdMap(products["product_id"])
    row = ids.index_of([changes[place].product_id for place in newest])
    changed_at = np.array([to_micros(changes[place].updated_at) for place in newest], np.int64)
    counts = changed_at >= np.append(_updated_at(products), _NEVER)[row]  # the last one stands for no row
    is_there = np.array([changes[place].product is not None for place in newest], np.bool_)
    taken = np.flatnonzero(counts & is_there)
    rows = changed_products([changes[newest[place]] for place in taken], like=products.schema)
    order = np.arange(products.num_rows, dtype=np.int64)
    order[row[counts & (row != UNKNOWN)]] = UNKNOWN
    in_place = row[taken] != UNKNOWN
    number = products.num_rows + np.arange(len(taken), dtype=np.int64)
    order[row[taken[in_place]]] = number[in_place]
    new = number[~in_place][np.argsort(first[taken[~in_place]])]
    both = pa.concat_tables([products, rows], promote_options="default")
    return both.take(pa.array(np.concatenate([order[order != UNKNOWN], new])))


def changed_products(changes: Sequence[JournalledChange], *, like: pa.Schema | None = None) -> pa.Table:
    """Return journalled products as a validated products table, row by row; none of them may be a deletion.

    Args:
        changes: What the journal gave back, every product once.
        like: Types of columns that the contract of tables does not know; a value of another type becomes null. None:
            the types that the values have.

    Raises:
        TableError: If a row is no product by the contract of tables.
    """
    found = [change.product or {} for change in changes]
    names = dict.fromkeys(["product_id", "title", *(name for product in found for name in product), "updated_at"])
    own = {
        "product_id": pa.array([change.product_id for change in changes], pa.string()),
        "updated_at": pa.array([to_micros(change.updated_at) for change in changes], pa.int64()).cast(TIME),
    }
    columns = {name: own.get(name, _column(name, [product.get(name) for product in found], like)) for name in names}
    checked = validate(pa.table(columns), PRODUCTS, may_be_empty=True)
    if checked.quarantine.num_rows:
        raise TableError(
            "Journalled products must keep the contract of the products table",
            received={name: checked.quarantine[name].to_pylist()[:3] for name in ("product_id", REASON)},
            remedy="Put these products again, or delete them.",
        )
    return checked.table


def _first_and_newest(
    changes: Sequence[JournalledChange],
) -> tuple[Int64[np.ndarray, " products"], Int64[np.ndarray, " products"]]:
    """Return, by product, the places of its first and of its newest change."""
    codes = pa.array([change.product_id for change in changes], pa.string()).dictionary_encode().indices.to_numpy()
    at = np.array([to_micros(change.updated_at) for change in changes], np.int64)
    _, first = np.unique(codes, return_index=True)
    order = np.lexsort((np.arange(len(changes)), at, codes))  # by product, then time, then place
    is_last = np.diff(codes[order], append=-1) != 0
    return first.astype(np.int64), order[is_last].astype(np.int64)


def _updated_at(products: pa.Table) -> Int64[np.ndarray, " products"]:
    """Return times in microseconds; a missing one is older than all."""
    if "updated_at" not in products.column_names:
        return np.full(products.num_rows, _NEVER)
    times = pc.fill_null(products["updated_at"].cast(TIME).cast(pa.int64()), _NEVER)
    return np.asarray(times.to_numpy(), np.int64)


def _column(name: str, values: list[Any], like: pa.Schema | None) -> pa.Array:
    """Return JSON values as a column that the contract can read."""
    contract = PRODUCTS.column(name)
    if contract is not None and pa.types.is_map(contract.type):
        return pa.array([_pairs(value) for value in values], pa.map_(pa.string(), pa.string()))
    if contract is None and like is not None and name in like.names:
        return _typed(values, like.field(name).type)
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # of several kinds
        return pa.array([_text(value) for value in values], pa.string())


def _pairs(value: Any) -> list[tuple[str, str | None]] | None:
    return [(name, _text(one)) for name, one in value.items()] if isinstance(value, dict) else None


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()


def _typed(values: list[Any], kind: pa.DataType) -> pa.Array:
    whole = _as_type(values, kind)
    if whole is not None:
        return whole
    parts = [_as_type([value], kind) for value in values]
    return pa.concat_arrays([pa.nulls(1, kind) if part is None else part for part in parts])


def _as_type(values: list[Any], kind: pa.DataType) -> pa.Array | None:
    """Return JSON values in a type, None where one of them does not fit; times are read from their text."""
    try:
        return pa.array(values, pa.string()).cast(kind) if pa.types.is_temporal(kind) else pa.array(values, kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return None
