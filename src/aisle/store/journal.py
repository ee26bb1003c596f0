"""The journal: what changed and what happened since the catalogue was imported, durable before it is acknowledged."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import pyarrow as pa

from aisle.core.errors import UsageError, WorkspaceError
from aisle.store.journal_database import DATABASE_NAME, Witness, lock_folder, open_reader, open_writer, readable
from aisle.store.journal_records import (
    Compacted,
    JournalEvent,
    JournalledChange,
    JournalledEvent,
    ProductChange,
    to_micros,
)
from aisle.store.journal_retention import drop_events, drop_overtaken, drop_superseded, erase
from aisle.store.journal_rows import (
    change_row,
    event_row,
    read_changes,
    read_events,
    read_head,
    write_changes,
    write_events,
)
from aisle.store.journal_writer import GroupWriter

__all__ = ["Journal"]


_T = TypeVar("_T")


def _now() -> datetime:
    return datetime.now(UTC)


class Journal:
    """The truth of every product change and every event since the last import.

    Product changes and events share one sequence of offsets, from 1 and never given twice. A call that appends
    returns when all of its rows are on disk; one that raises has written none. Calls of many threads at the same time
    share one flush to disk.

    One connection writes and empties the log; others only read. (In SQLite before 3.51.3 two connections that write
    or check-point at the same moment can, rarely, damage a database: https://sqlite.org/wal.html#walresetbug.)
    """

    def __init__(self, folder: Path, *, accept_loss: bool, clock: Callable[[], datetime]) -> None:
        self._folder = folder
        self._clock = clock
        self._reading = threading.Lock()
        self._witness = Witness(folder)
        with contextlib.ExitStack() as opened:
            self._lock = lock_folder(folder)
            opened.callback(os.close, self._lock)
            connection = open_writer(folder, acknowledged=self._witness.read(), accept_loss=accept_loss)
            opened.callback(connection.close)
            self._reader = open_reader(folder)
            opened.pop_all()
        self._note_head(read_head(connection))
        self._writer = GroupWriter(connection, mark=read_head, committed=self._note_head, readable=self._readable)

    @classmethod
    def open(cls, folder: Path, *, accept_loss: bool = False, clock: Callable[[], datetime] = _now) -> Self:
        """Open the journal of a folder for writing; it is made if there is none.

        Args:
            folder: Holds the journal and nothing else; in a workspace, `journal`.
            accept_loss: Go on although acknowledged rows are missing. Their offsets are not given again.
            clock: Tells the time; it may go back.

        Raises:
            WorkspaceError: If another process writes to it, the folder cannot be written to, or the journal is damaged,
                of another version, or lacks what was acknowledged.
        """
        return cls(folder, accept_loss=accept_loss, clock=clock)

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the journal."""
        self.close()

    @property
    def head(self) -> int:
        """Largest offset that was given; 0 for a new journal."""
        return self._head

    @property
    def size_bytes(self) -> int:
        """Size of the journal's files."""
        return sum(path.stat().st_size for path in self._folder.glob(f"{DATABASE_NAME}*"))

    def append_products(self, changes: Sequence[ProductChange]) -> list[int | None]:
        """Write product changes, all or none, and return when they are on disk.

        Of one product the change with the newest `updated_at` counts, the later one where two are equal. A change
        without one is newer than all that the journal knows of its product.

        Returns:
            Their offsets; None for one that is older than what the journal knows (stale), which is not written.

        Raises:
            UsageError: If a change cannot be written, or the journal was closed.
            WorkspaceError: If the disk is full or fails.
        """
        rows = [change_row(change) for change in changes]
        return self._writer.transact(lambda connection: write_changes(connection, rows, now=self._micros()))

    def append_events(self, events: Sequence[JournalEvent]) -> list[int]:
        """Write events, all or none, and return when they are on disk.

        An event with an `event_id` that is there already, equal in all else, is not written again.

        Returns:
            Their offsets; of an event that was there already, that of its first coming.

        Raises:
            UsageError: If an event cannot be written, or the journal was closed.
            WorkspaceError: If the disk is full or fails.
        """
        rows = [event_row(event) for event in events]
        return self._writer.transact(lambda connection: write_events(connection, rows, now=self._micros()))

    def product_changes(self, after: int, *, most: int) -> list[JournalledChange]:
        """Return the first product changes behind an offset, in order.

        Raises:
            WorkspaceError: If a row is not as it was written.
        """
        return self._read(lambda connection: read_changes(connection, after, most=most))

    def events(self, after: int, *, most: int) -> list[JournalledEvent]:
        """Return the first events behind an offset, in order.

        Raises:
            WorkspaceError: If a row is not as it was written.
        """
        return self._read(lambda connection: read_events(connection, after, most=most))

    def erase_actor(self, kind: str, actor_id: str) -> int:
        """Take an actor's events out; not a byte of them stays in the journal's files.

        Args:
            kind: "user", "client" or "session": which of an event's ids is meant.
            actor_id: The id.

        Returns:
            How many events.

        Raises:
            UsageError: If the kind is none of these.
            WorkspaceError: If the disk is full or fails, or another program keeps the log from being emptied.
        """
        erased = self._writer.transact(lambda connection: erase(connection, kind, actor_id))
        self._writer.maintain(_empty_log)
        return erased

    def pin(self, version_id: str, offset: int) -> None:
        """Keep all changes behind an offset, whatever came after them: a version is built on it.

        Raises:
            UsageError: If the journal has not come so far.
        """
        if not 0 <= offset <= self.head:
            raise UsageError(
                "A pinned offset must be one that the journal has reached",
                received={"offset": offset, "head": self.head},
                remedy="Pin the head at which the version's base was read.",
            )
        self._writer.transact(
            lambda connection: connection.execute("INSERT OR REPLACE INTO pins VALUES (?, ?)", (version_id, offset))
        )

    def unpin(self, version_id: str) -> None:
        """Forget a version's pin; one that is not there is no error."""
        self._writer.transact(
            lambda connection: connection.execute("DELETE FROM pins WHERE version_id = ?", (version_id,))
        )

    def pins(self) -> dict[str, int]:
        """Return the pinned offsets by version."""
        return dict(self._read(lambda connection: connection.execute("SELECT * FROM pins").fetchall()))

    def compact(self, keep_events_days: float, *, catalogue: pa.Table | None = None) -> Compacted:
        """Take out what nobody needs any more, and give its room back to the disk.

        - Product changes up to the smallest pin (all where there is none) that a newer change of the same product
          follows. The newest change of every product stays: the next catalogue is merged with it.
        - Those of the rest, again up to the smallest pin, whose product has a newer row in the catalogue.
        - Events that are older than the retention.

        Args:
            keep_events_days: Retention of events.
            catalogue: The imported products table; None: it overtakes nothing.

        Raises:
            WorkspaceError: If the disk is full or fails.
        """
        before = self.size_bytes
        limit = to_micros(self._clock() - timedelta(days=keep_events_days))

        def drop(connection: sqlite3.Connection) -> tuple[int, int]:
            changes = drop_superseded(connection)
            if catalogue is not None:
                changes += drop_overtaken(connection, catalogue)
            return changes, drop_events(connection, before=limit)

        changes, events = self._writer.transact(drop)
        self._writer.maintain(_give_room_back)
        return Compacted(changes, events, max(before - self.size_bytes, 0))

    def close(self) -> None:
        """Finish what is being written and release the files; once is enough."""
        with self._reading:
            self._reader.close()
        self._writer.close()
        self._witness.close()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _note_head(self, head: int) -> None:
        self._head = head
        self._witness.write(head)

    def _micros(self) -> int:
        return to_micros(self._clock())

    def _read(self, read: Callable[[sqlite3.Connection], _T]) -> _T:
        with self._reading:
            try:
                return read(self._reader)
            except sqlite3.ProgrammingError:
                raise UsageError("The journal must be open", remedy="Open it again.") from None
            except sqlite3.Error as error:
                raise self._readable(error) from error

    def _readable(self, error: sqlite3.Error) -> WorkspaceError:
        return readable(error, self._folder)


def _empty_log(connection: sqlite3.Connection) -> None:
    is_busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_busy:
        raise WorkspaceError(
            "No other program may read the journal while its log is emptied",
            remedy="What was asked is done, but its bytes are still in the log: end that program and ask again.",
        )


def _give_room_back(connection: sqlite3.Connection) -> None:
    connection.executescript("PRAGMA incremental_vacuum")  # `execute` would take one step: one page
    _empty_log(connection)
