"""Rows of the journal: written inside a transaction that somebody else commits, read back with their checksums."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from aisle.core.errors import UsageError, WorkspaceError
from aisle.store.journal_records import (
    JournalEvent,
    JournalledChange,
    JournalledEvent,
    ProductChange,
    as_json,
    checksum,
    from_micros,
    to_micros,
)

__all__ = [
    "ChangeRow",
    "EventRow",
    "change_row",
    "event_row",
    "read_changes",
    "read_events",
    "read_head",
    "write_changes",
    "write_events",
]

EventRow = tuple[str | None, str | None, str | None, str | None, int, str, str | None, str | None, str | None]
"""The columns of an event from `event_id` to `search_id`."""

_NEWEST = "SELECT updated_at FROM product_changes WHERE product_id = ? ORDER BY journal_offset DESC LIMIT 1"
_INSERT_CHANGE = "INSERT INTO product_changes VALUES (?, ?, ?, ?, ?, ?)"
_INSERT_EVENT = "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SAME_EVENT = """
SELECT journal_offset FROM events
WHERE event_id = ? AND user_id IS ? AND client_id IS ? AND session_id IS ? AND at = ? AND action = ?
  AND product_id IS ? AND query IS ? AND search_id IS ?
"""
_CHANGES = """
SELECT journal_offset, product_id, product, updated_at, journalled_at, checksum FROM product_changes
WHERE journal_offset > ? ORDER BY journal_offset LIMIT ?
"""
_EVENTS = "SELECT * FROM events WHERE journal_offset > ? ORDER BY journal_offset LIMIT ?"


@dataclass(frozen=True)
class ChangeRow:
    """A product change, ready to be written."""

    product_id: str
    product: bytes | None
    updated_at: int | None


def change_row(change: ProductChange) -> ChangeRow:
    """Turn a change into the values of its columns.

    Raises:
        UsageError: If a text or a value cannot be written, the id is empty, or a time has no zone.
    """
    _check_text("product_id", change.product_id)
    product = None if change.product is None else as_json(change.product_id, change.product)
    updated_at = None if change.updated_at is None else to_micros(change.updated_at)
    return ChangeRow(change.product_id, product, updated_at)


def event_row(event: JournalEvent) -> EventRow:
    """Turn an event into the values of its columns.

    Raises:
        UsageError: If a text cannot be written, the action is empty, or the time has no zone.
    """
    _check_text("action", event.action)
    names = ("event_id", "user_id", "client_id", "session_id", "product_id", "query", "search_id")
    for name in names:
        value = getattr(event, name)
        if value is not None:
            _check_text(name, value, may_be_empty=True)
    ids = (event.event_id, event.user_id, event.client_id, event.session_id)
    return (*ids, to_micros(event.at), event.action, event.product_id, event.query, event.search_id)


def _check_text(name: str, text: str, *, may_be_empty: bool = False) -> None:
    try:
        fits = bool(text.encode()) or may_be_empty
    except UnicodeEncodeError:
        fits = False
    if not fits:
        raise UsageError(
            f"A journalled {name} must be text" + " that is not empty" * (not may_be_empty),
            received={name: text},
            remedy="Send UTF-8.",
        )


def write_changes(connection: sqlite3.Connection, rows: Sequence[ChangeRow], *, now: int) -> list[int | None]:
    """Insert changes; one that is older than what is known of its product is left out.

    Args:
        connection: In a transaction.
        rows: In the order in which they came.
        now: Microseconds since 1970 by the clock, which may have gone back.

    Returns:
        Their offsets; None for one that was left out.
    """
    head, journalled_at = _next(connection, now)
    offsets: list[int | None] = []
    for row in rows:
        newest = connection.execute(_NEWEST, (row.product_id,)).fetchone()
        known_at = journalled_at if newest is None else max(journalled_at, newest[0])
        updated_at = known_at if row.updated_at is None else row.updated_at
        if newest is not None and updated_at < newest[0]:
            offsets.append(None)
            continue
        head += 1
        values = (head, row.product_id, row.product, updated_at, journalled_at)
        connection.execute(_INSERT_CHANGE, (*values, checksum(*values)))
        offsets.append(head)
    _set_head(connection, head, journalled_at)
    return offsets


def write_events(connection: sqlite3.Connection, rows: Sequence[EventRow], *, now: int) -> list[int]:
    """Insert events; one that is there already, by its id and all else, is not written again.

    Args:
        connection: In a transaction.
        rows: In the order in which they came.
        now: Microseconds since 1970 by the clock, which may have gone back.

    Returns:
        Their offsets; of one that was there already, that of its first coming.
    """
    head, journalled_at = _next(connection, now)
    offsets = []
    for row in rows:
        earlier = None if row[0] is None else connection.execute(_SAME_EVENT, row).fetchone()
        if earlier is not None:
            offsets.append(int(earlier[0]))
            continue
        head += 1
        values = (head, *row, journalled_at)
        connection.execute(_INSERT_EVENT, (*values, checksum(*values)))
        offsets.append(head)
    _set_head(connection, head, journalled_at)
    return offsets


def read_head(connection: sqlite3.Connection) -> int:
    """Return the largest offset that was ever given."""
    return int(connection.execute("SELECT head FROM state").fetchone()[0])


def read_changes(connection: sqlite3.Connection, after: int, *, most: int) -> list[JournalledChange]:
    """Return the first product changes behind an offset.

    Raises:
        WorkspaceError: If a row is not as it was written.
    """
    rows = connection.execute(_CHANGES, (after, most)).fetchall()
    for row in rows:
        _check(row)
    return [
        JournalledChange(offset, product_id, None if product is None else orjson.loads(product), from_micros(at))
        for offset, product_id, product, at, _, _ in rows
    ]


def read_events(connection: sqlite3.Connection, after: int, *, most: int) -> list[JournalledEvent]:
    """Return the first events behind an offset.

    Raises:
        WorkspaceError: If a row is not as it was written.
    """
    rows = connection.execute(_EVENTS, (after, most)).fetchall()
    for row in rows:
        _check(row)
    return [_event(row) for row in rows]


def _event(row: tuple[Any, ...]) -> JournalledEvent:
    return JournalledEvent(row[0], JournalEvent(from_micros(row[5]), row[6], *row[1:5], *row[7:10]))


def _check(row: tuple[int | str | bytes | None, ...]) -> None:
    if checksum(*row[:-1]) != row[-1]:
        raise WorkspaceError(
            "Every row of the journal must be as it was written",
            received={"offset": row[0]},
            remedy="The disk or another program changed it: restore the journal's folder from a backup.",
        )


def _next(connection: sqlite3.Connection, now: int) -> tuple[int, int]:
    """Return the head and the time of journalling, which never goes back whatever the clock does."""
    head, last = connection.execute("SELECT head, journalled_at FROM state").fetchone()
    return int(head), max(int(last), now)


def _set_head(connection: sqlite3.Connection, head: int, journalled_at: int) -> None:
    connection.execute("UPDATE state SET head = ?, journalled_at = ?", (head, journalled_at))
