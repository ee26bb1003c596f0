"""A look at a journal without opening it for writing: also while a service writes to it."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from aisle.store.journal_database import DATABASE_NAME, Witness, check_content, open_reader, readable, refuse_loss
from aisle.store.journal_rows import read_changes, read_events, read_head

__all__ = ["JournalView", "inspect_journal"]

_PAGE_ROWS = 10_000


@dataclass(frozen=True)
class JournalView:
    """What a journal holds.

    Attributes:
        head: Largest offset that was given.
        product_changes: Their number.
        events: Their number.
        pins: Offsets that the bases of versions hold, by version.
        size_bytes: Of its database and log.
    """

    head: int
    product_changes: int
    events: int
    pins: dict[str, int]
    size_bytes: int


def inspect_journal(folder: Path) -> JournalView:
    """Check every page and every row of a journal, and count what it holds.

    Raises:
        WorkspaceError: If it is missing, damaged, no journal, of another version, or lacks what was acknowledged.
    """
    acknowledged = Witness(folder).read()  # before the database, which only grows
    with contextlib.closing(open_reader(folder)) as connection:
        try:
            check_content(connection, folder)
            head = read_head(connection)
            refuse_loss(folder, found=head, acknowledged=acknowledged)
            num_changes, num_events = _check_rows(connection)
            pins = dict(connection.execute("SELECT version_id, journal_offset FROM pins").fetchall())
        except sqlite3.Error as error:
            raise readable(error, folder) from error
    size_bytes = sum(path.stat().st_size for path in folder.glob(f"{DATABASE_NAME}*"))
    return JournalView(head, num_changes, num_events, pins, size_bytes)


def _check_rows(connection: sqlite3.Connection) -> tuple[int, int]:
    """Read every row, which checks it; return the numbers of product changes and of events."""
    num_changes, num_events, last = 0, 0, 0
    while changes := read_changes(connection, last, most=_PAGE_ROWS):
        num_changes, last = num_changes + len(changes), changes[-1].offset
    last = 0
    while events := read_events(connection, last, most=_PAGE_ROWS):
        num_events, last = num_events + len(events), events[-1].offset
    return num_changes, num_events
