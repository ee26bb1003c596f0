"""The folder of a store: what it is, how far it is, and whether its files are as they were left.

    store.json    kind and values, with a fingerprint of themselves; written once
    state.json    journal offset up to which all changes are in the files for good; replaced by every flush
    seal.json     SHA-256 of every data file; there only while the store is closed
    lock          held while the store is open
    data/         files of the engine

A store that was closed is checked, file by file, before an engine sees a byte of it. One that was killed has no seal:
its engine recovers what was flushed, and what came after is applied again from the journal.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from aisle.core.errors import WorkspaceError
from aisle.workspace import file_sha256, fingerprint, verify_files

__all__ = ["FORMAT_VERSION", "StoreFolder", "lost", "write_whole"]

FORMAT_VERSION = 1
"""Version of the folder's files; stores of other versions are built again."""

_HEADER, _STATE, _SEAL, _LOCK, _DATA = "store.json", "state.json", "seal.json", "lock", "data"
_REMEDY = "Delete the folder: the store is built again from catalogue and journal."


def lost(folder: Path, problem: object) -> WorkspaceError:
    """Return the error for a store that cannot be used as it is."""
    return WorkspaceError(
        "A store must be whole", received={"folder": str(folder), "problem": str(problem)}, remedy=_REMEDY
    )


class StoreFolder:
    """A store's folder, held for this process alone until `release`.

    Args:
        path: The folder; it must exist.

    Raises:
        WorkspaceError: If it is missing, or another process or object holds it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = _locked(path)

    @classmethod
    def create(cls, path: Path) -> StoreFolder:
        """Make a new folder, in place of what is there."""
        shutil.rmtree(path, ignore_errors=True)
        (path / _DATA).mkdir(parents=True)
        return cls(path)

    @classmethod
    @contextmanager
    def held(cls, path: Path) -> Iterator[StoreFolder]:
        """Hold a folder for as long as it is looked at."""
        folder = cls(path)
        try:
            yield folder
        finally:
            folder.release()

    @property
    def data(self) -> Path:
        """Where the engine's files lie."""
        return self.path / _DATA

    @property
    def kind(self) -> str:
        """Kind of the store, as its header says."""
        return str(self._read_header()["kind"])

    def describe(self, kind: str, values: Mapping[str, Any]) -> None:
        """Write the header, once, when a store is built."""
        _write(self.path / _HEADER, {"format_version": FORMAT_VERSION, "kind": kind, "values": dict(values)})

    def values(self, kind: str) -> dict[str, Any]:
        """Return what `describe` was given.

        Raises:
            WorkspaceError: If the header is missing, damaged, of another version or of another kind.
        """
        header = self._read_header()
        if header["kind"] != kind:
            raise lost(self.path, f"it is a store of kind {header['kind']}, not {kind}")
        return dict(header["values"])

    def state(self) -> tuple[int, int]:
        """Return the journal offset that was noted last, and how many products wait for the graph.

        Raises:
            WorkspaceError: If they were never noted, or are damaged.
        """
        state = _read(self.path, _STATE)
        return int(state["applied_offset"]), int(state["num_waiting"])

    def note_state(self, applied_offset: int, *, num_waiting: int) -> None:
        """Replace what `state` returns, on disk when this returns."""
        _write(self.path / _STATE, {"applied_offset": applied_offset, "num_waiting": num_waiting})

    def seal(self) -> None:
        """Note the hash of every data file; nothing may change them before `unseal`."""
        files = {path.relative_to(self.path).as_posix(): file_sha256(path) for path in self._files()}
        _write(self.path / _SEAL, {"files": files})

    def unseal(self) -> bool:
        """Check every data file against the seal, then break the seal.

        Returns:
            False where there is no seal: the store was not closed.

        Raises:
            WorkspaceError: If a file is missing, changed, or too many.
        """
        seal = self.path / _SEAL
        if not seal.exists():
            return False
        self._check_seal()
        seal.unlink()
        _fsync(self.path)
        return True

    def _check_seal(self) -> None:
        files = _read(self.path, _SEAL)["files"]
        try:
            verify_files(self.path, files)
        except WorkspaceError as error:
            raise lost(self.path, f"{error.received['file']} is {error.received['state']}") from error
        if added := {path.relative_to(self.path).as_posix() for path in self._files()} - files.keys():
            raise lost(self.path, f"{min(added)} was added")

    def release(self) -> None:
        """Let others open the folder."""
        self._lock.close()

    def _read_header(self) -> dict[str, Any]:
        header = _read(self.path, _HEADER)
        if header.get("format_version") != FORMAT_VERSION:
            raise lost(self.path, f"it is of format version {header.get('format_version')}, not {FORMAT_VERSION}")
        return header

    def _files(self) -> list[Path]:
        return sorted(path for path in self.data.rglob("*") if path.is_file())


def write_whole(path: Path, write: Callable[[StoreFolder], None]) -> None:
    """Write a store into a temporary folder beside its place, then put it there in one rename.

    Args:
        path: Where it shall stand; what stands there is replaced.
        write: Writes everything, and leaves the folder sealed.
    """
    partial, old = path.with_name(f".{path.name}.partial"), path.with_name(f".{path.name}.old")
    folder = StoreFolder.create(partial)
    try:
        write(folder)
    finally:
        folder.release()
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    partial.rename(path)
    _fsync(path.parent)
    shutil.rmtree(old, ignore_errors=True)


def _locked(path: Path) -> TextIO:
    try:
        file = (path / _LOCK).open("w")
    except OSError as error:
        raise lost(path, error) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise WorkspaceError(
            "A store must be open once only",
            received={"folder": str(path)},
            remedy="Stop the other process that serves it.",
        ) from None
    return file


def _write(path: Path, values: dict[str, Any]) -> None:
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump({**values, "fingerprint": fingerprint(values)}, file, ensure_ascii=False, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    _fsync(path.parent)


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        values = json.loads((folder / name).read_text(encoding="utf-8"))
        if not isinstance(values, dict) or values.pop("fingerprint", None) != fingerprint(values):
            raise lost(folder, f"{name} is not as it was written")
    except (OSError, ValueError, RecursionError) as error:
        raise lost(folder, f"{name}: {error}") from error
    return values


def _fsync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
