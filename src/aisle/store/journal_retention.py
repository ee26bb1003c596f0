"""What leaves the journal: erased actors, old events, and product changes that nothing depends on any more."""

from __future__ import annotations

import sqlite3

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.errors import UsageError
from aisle.core.ids import IdMap

__all__ = ["ACTOR_KINDS", "drop_events", "drop_overtaken", "drop_superseded", "erase"]

ACTOR_KINDS = ("user", "client", "session")
"""Whose events can be erased."""

_ERASE = {
    "user": "DELETE FROM events WHERE user_id = ?",
    "client": "DELETE FROM events WHERE client_id = ?",
    "session": "DELETE FROM events WHERE session_id = ?",
}
# Up to here every version's base holds the changes; without a version, nothing depends on any.
_FREE = "SELECT coalesce((SELECT min(journal_offset) FROM pins), (SELECT head FROM state))"
_SUPERSEDED = """
DELETE FROM product_changes WHERE journal_offset <= ? AND EXISTS (
    SELECT 1 FROM product_changes AS later
    WHERE later.product_id = product_changes.product_id AND later.journal_offset > product_changes.journal_offset
)
"""
_UP_TO = "SELECT journal_offset, product_id, updated_at FROM product_changes WHERE journal_offset <= ?"


def erase(connection: sqlite3.Connection, kind: str, actor_id: str) -> int:
    """Delete the events that carry this id, and return how many.

    Raises:
        UsageError: If the kind is none of `ACTOR_KINDS`.
    """
    if kind not in _ERASE:
        raise UsageError(
            f"The kind of an actor must be one of {', '.join(ACTOR_KINDS)}",
            received={"kind": kind},
            remedy="Name the kind of id that is to be erased.",
        )
    return connection.execute(_ERASE[kind], (actor_id,)).rowcount


def drop_events(connection: sqlite3.Connection, *, before: int) -> int:
    """Delete the events that happened, or were journalled, before a time; return how many."""
    return connection.execute("DELETE FROM events WHERE at < ? OR journalled_at < ?", (before, before)).rowcount


def drop_superseded(connection: sqlite3.Connection) -> int:
    """Delete the changes up to the smallest pin that a newer change of their product follows; return how many."""
    return connection.execute(_SUPERSEDED, (_free(connection),)).rowcount


def drop_overtaken(connection: sqlite3.Connection, catalogue: pa.Table) -> int:
    """Delete the changes up to the smallest pin whose product has a newer row in a catalogue; return how many.

    Args:
        connection: In a transaction, after `drop_superseded`.
        catalogue: A validated products table; rows without `updated_at` overtake nothing.
    """
    changes = connection.execute(_UP_TO, (_free(connection),)).fetchall()
    if not changes or "updated_at" not in catalogue.column_names:
        return 0
    offsets, product_ids, changed_at = (list(column) for column in zip(*changes, strict=True))
    row = IdMap(catalogue["product_id"]).index_of(product_ids)
    never = np.iinfo(np.int64).min
    listed_at = pc.fill_null(catalogue["updated_at"].cast(pa.int64()), never).to_numpy()
    is_overtaken = np.append(listed_at, never)[row] > np.array(changed_at, np.int64)  # the last one stands for no row
    overtaken = [(int(offset),) for offset in np.array(offsets, np.int64)[is_overtaken]]
    connection.executemany("DELETE FROM product_changes WHERE journal_offset = ?", overtaken)
    return len(overtaken)


def _free(connection: sqlite3.Connection) -> int:
    return int(connection.execute(_FREE).fetchone()[0])
