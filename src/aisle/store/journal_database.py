"""The journal's files: made whole, checked before they are used, locked against a second writer.

    journal/
    ├── journal.db        SQLite, with journal.db-wal and journal.db-shm beside it while it is open
    ├── acknowledged      largest offset that a caller was told of
    └── lock              held by the one process that writes

SQLite itself drops the end of a log that is cut short, and cannot tell that from a write that never ended. So the
largest acknowledged offset stands in a file of its own: what was acknowledged and is gone is found.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import struct
import zlib
from importlib import resources
from pathlib import Path

from aisle.core.errors import AisleError, WorkspaceError
from aisle.store.journal_rows import read_head

__all__ = [
    "DATABASE_NAME",
    "FORMAT_VERSION",
    "Witness",
    "check_content",
    "lock_folder",
    "open_reader",
    "open_writer",
    "readable",
    "refuse_loss",
]

DATABASE_NAME = "journal.db"
FORMAT_VERSION = 1
"""Version of the tables; a journal of another version is refused."""

_APPLICATION_ID = 0x41534C45  # "ASLE", in SQLite's header, so that no other database is taken for a journal
_MAGIC = b"SQLite format 3\0"
_HEADER = struct.Struct(">16xH42xI4xI28x")  # SQLite's 100 bytes: page size, user_version, application_id
_BUSY_S = 10.0
_LOG_PAGES = 4_000
"""Pages of 4 KiB in the log before they are moved into the database file."""

_RESTORE = "Restore the journal's whole folder from a backup."


class Witness:
    """The file that tells the largest acknowledged offset.

    It is not flushed: a process that is killed loses nothing of it, and after a power cut it may be behind, never
    ahead. Behind, it only finds less.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "acknowledged"
        self._file: int | None = None

    def read(self) -> int:
        """Return the offset; 0 where the file is missing or not whole."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return 0
        head = data[:8]
        return int.from_bytes(head, "little") if data[8:] == zlib.crc32(head).to_bytes(4, "little") else 0

    def write(self, offset: int) -> None:
        """Replace the offset; a disk that refuses it is no error, as the rows themselves are durable by then."""
        head = offset.to_bytes(8, "little")
        with contextlib.suppress(OSError):
            if self._file is None:
                self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            os.pwrite(self._file, head + zlib.crc32(head).to_bytes(4, "little"), 0)

    def close(self) -> None:
        """Release the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def lock_folder(folder: Path) -> int:
    """Make the folder and take its lock, which ends with the process at the latest.

    Returns:
        The file that holds the lock until it is closed.

    Raises:
        WorkspaceError: If the folder cannot be written to, or another writer has the lock.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _not_writable(folder, error) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        raise WorkspaceError(
            "Only one process may write to a journal",
            received={"folder": str(folder)},
            remedy="Stop the other `aisle serve` of this workspace, or wait for it to end.",
        ) from None
    return file


def open_writer(folder: Path, *, acknowledged: int, accept_loss: bool) -> sqlite3.Connection:
    """Open the database for writing, made if there is none, once the folder is locked.

    Args:
        folder: Of the journal.
        acknowledged: Offset that it must have reached.
        accept_loss: Raise the head to that offset where it has not, instead of refusing.

    Raises:
        WorkspaceError: If it is damaged, no journal, of another version, or cannot be written to; or if it lacks what
            was acknowledged, unless that is accepted.
    """
    required = 0 if accept_loss else acknowledged
    database = folder / DATABASE_NAME
    try:
        if not database.exists():
            refuse_loss(folder, found=0, acknowledged=required)
            _create(folder)
        _check_header(database)
        connection = _connect(database, mode="rw")
    except (OSError, sqlite3.Error) as error:
        raise readable(error, folder) from error
    try:
        _set_up(connection)
        check_content(connection, folder)
        head = read_head(connection)
        refuse_loss(folder, found=head, acknowledged=required)
        if head < acknowledged:  # the loss is accepted; its offsets are not given again
            connection.execute("UPDATE state SET head = ?", (acknowledged,))
    except sqlite3.Error as error:
        connection.close()
        raise readable(error, folder) from error
    except AisleError:
        connection.close()
        raise
    return connection


def open_reader(folder: Path) -> sqlite3.Connection:
    """Open the database for reading, beside its writer or without one.

    Raises:
        WorkspaceError: If it is missing, damaged, no journal or of another version.
    """
    database = folder / DATABASE_NAME
    try:
        _check_header(database)
        connection = _connect(database, mode="ro")
        connection.execute("PRAGMA trusted_schema = OFF")
    except (OSError, sqlite3.Error) as error:
        raise readable(error, folder) from error
    return connection


def check_content(connection: sqlite3.Connection, folder: Path) -> None:
    """Let SQLite look at every page, and hold the rows against the head.

    Raises:
        WorkspaceError: If they do not fit together.
    """
    found = [row[0] for row in connection.execute("PRAGMA quick_check(3)")]
    if found != ["ok"]:
        raise _damaged(folder, "; ".join(found))
    tables = ("SELECT max(journal_offset) FROM product_changes", "SELECT max(journal_offset) FROM events")
    newest = max(connection.execute(table).fetchone()[0] or 0 for table in tables)
    if newest > read_head(connection):
        raise _damaged(folder, f"it holds offset {newest}, beyond its head")


def refuse_loss(folder: Path, *, found: int, acknowledged: int) -> None:
    """Hold the head that a journal has against what was acknowledged.

    Raises:
        WorkspaceError: If something is missing.
    """
    if found < acknowledged:
        raise WorkspaceError(
            "The journal must hold all that was acknowledged",
            received={"folder": str(folder), "head": found, "acknowledged": acknowledged},
            remedy=f"{_RESTORE} To go on for good without what is missing: `aisle serve --accept-loss`.",
        )


def readable(error: OSError | sqlite3.Error, folder: Path) -> WorkspaceError:
    """Turn what SQLite or the system says into an error that tells what to do."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if isinstance(error, OSError) or code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM):
        return _not_writable(folder, error)
    if code == sqlite3.SQLITE_FULL:
        return WorkspaceError(
            "There must be room on the disk for the journal: nothing of this request was written",
            received={"folder": str(folder)},
            remedy="Free some space and send it again; the journal needs no restart.",
        )
    if code == sqlite3.SQLITE_BUSY:
        return WorkspaceError(
            "No other program may hold the journal's database",
            received={"folder": str(folder)},
            remedy="End the program that has it open, and try again.",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return _damaged(folder, str(error))
    return WorkspaceError(
        "The journal must be readable and writable",
        received={"folder": str(folder), "problem": str(error)},
        remedy="Look at the disk; what was acknowledged before is not touched.",
    )


def _create(folder: Path) -> None:
    """Make an empty database under another name, and rename it when it is whole and on disk."""
    for name in (f"{DATABASE_NAME}-wal", f"{DATABASE_NAME}-shm"):
        (folder / name).unlink(missing_ok=True)  # a log without its database would be applied to the new one
    partial = folder / f"{DATABASE_NAME}.partial"
    partial.unlink(missing_ok=True)
    schema = (resources.files("aisle.store") / "journal_schema.sql").read_text(encoding="utf-8")
    with contextlib.closing(sqlite3.connect(partial, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
        connection.executescript(f"BEGIN; {schema} COMMIT;")
        connection.execute("PRAGMA journal_mode = WAL")
    partial.rename(folder / DATABASE_NAME)
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)  # the name itself
    finally:
        os.close(file)


def _check_header(database: Path) -> None:
    """Look at the first bytes before SQLite does: it takes an empty file for a new database."""
    with database.open("rb") as file:
        header = file.read(_HEADER.size)
    if len(header) < _HEADER.size or not header.startswith(_MAGIC):
        raise _damaged(database.parent, f"{database.name} is no SQLite database")
    page_bytes, version, application = _HEADER.unpack(header)
    if application != _APPLICATION_ID:
        raise _damaged(database.parent, f"{database.name} is the database of another program")
    if version != FORMAT_VERSION:
        raise WorkspaceError(
            f"A journal must be of format version {FORMAT_VERSION}",
            received={"folder": str(database.parent), "format_version": version},
            remedy="Open it with the version of Aisle that wrote it.",
        )
    # A last page that is not whole is mended from the log, if there is one; SQLite would fill it with zeros.
    if database.stat().st_size % max(page_bytes, 1) and not database.with_name(f"{DATABASE_NAME}-wal").exists():
        raise _damaged(database.parent, f"{database.name} is cut short")


def _connect(database: Path, *, mode: str) -> sqlite3.Connection:
    address = f"{database.resolve().as_uri()}?mode={mode}"
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False, timeout=_BUSY_S)


def _set_up(connection: sqlite3.Connection) -> None:
    settings = {
        "synchronous": "FULL",  # every commit is on disk before it is acknowledged
        "fullfsync": "ON",  # on macOS, where fsync alone leaves it in the drive
        "checkpoint_fullfsync": "ON",
        "secure_delete": "ON",  # what is erased is overwritten
        "trusted_schema": "OFF",
        "cell_size_check": "ON",
        "wal_autocheckpoint": _LOG_PAGES,
    }
    for name, value in settings.items():
        connection.execute(f"PRAGMA {name} = {value}")


def _damaged(folder: Path, problem: str) -> WorkspaceError:
    return WorkspaceError(
        "The journal must be readable", received={"folder": str(folder), "problem": problem}, remedy=_RESTORE
    )


def _not_writable(folder: Path, error: Exception) -> WorkspaceError:
    return WorkspaceError(
        "The journal's folder must be there, readable and writable",
        received={"folder": str(folder), "problem": str(error)},
        remedy="Mend its permissions, or serve a workspace on another disk.",
    )
