"""All versions of a live shop: built whole or not at all, and one of them current."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from aisle.core.errors import AisleError, UsageError, WorkspaceError
from aisle.live.building import Fill, VersionSource, lay_out
from aisle.live.version import STORE, Version
from aisle.store import Journal, JournalledChange, discard_store

__all__ = ["Versions"]

_CURRENT, _PARTIAL = "current", ".partial-"
_CHANGES_AT_ONCE = 10_000


class Versions:
    """The folder of versions.

    A version is built under another name and renamed when it is whole and on disk; which one is current stands in a
    file that is replaced in one rename. So a process that is killed leaves whole versions, and one of them current.

    Args:
        folder: Holds the versions; made if it is missing.
        journal: Holds what changed since the import; versions pin what they need of it.
    """

    def __init__(self, folder: Path, journal: Journal) -> None:
        self._folder, self._journal = folder, journal
        folder.mkdir(parents=True, exist_ok=True)
        for left in folder.glob(f"{_PARTIAL}*"):
            shutil.rmtree(left, ignore_errors=True)  # what builds it may live on for a moment, after its parent
        self._mend_pins()

    def all(self) -> list[Version]:
        """Return the whole versions, the oldest first; a folder that is none is passed over."""
        found = []
        for path in sorted(self._folder.iterdir()):
            if path.is_dir() and not path.name.startswith("."):
                try:
                    found.append(Version.read(path))
                except WorkspaceError:
                    continue
        return found

    def get(self, version_id: str) -> Version:
        """Return a version.

        Raises:
            UsageError: If there is none of this id.
        """
        found = {version.id: version for version in self.all()}
        if version_id not in found:
            raise UsageError(
                "The version must be one that was built to its end",
                received={"id": version_id, "versions": list(found)},
                remedy="Name one of these, or build one.",
            )
        return found[version_id]

    def current(self) -> Version | None:
        """Return the current version; None where none was ever made current, or it is gone."""
        try:
            name = (self._folder / _CURRENT).read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        return next((version for version in self.all() if version.id == name), None)

    def make_current(self, version_id: str) -> None:
        """Note the current version, on disk when this returns.

        Raises:
            UsageError: If there is none of this id.
        """
        self.get(version_id)
        temporary = self._folder / f".{_CURRENT}"
        with temporary.open("w", encoding="utf-8") as file:
            file.write(version_id + "\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._folder / _CURRENT)
        _fsync(self._folder)

    def new_id(self) -> str:
        """Return an id that no version has: the time, and a number where that is taken."""
        now = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        taken = {path.name.removeprefix(_PARTIAL) for path in self._folder.iterdir()}
        names = (now if number == 1 else f"{now}-{number}" for number in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)

    def build(self, source: VersionSource, version_id: str, *, fill: Fill) -> Version:
        """Build a version of the catalogue and the journal up to its present head, which is pinned for it.

        Args:
            source: What it is built from.
            version_id: Its id, of `new_id`.
            fill: Encodes its products and builds its store.

        Raises:
            AisleError: If it cannot be built; nothing is left of it then.
        """
        partial = self._folder / f"{_PARTIAL}{version_id}"
        offset = self._journal.head
        self._journal.pin(version_id, offset)
        try:
            partial.mkdir()
            lay_out(source, self._changes(offset), partial, offset=offset)
            fill(partial)
            Version.seal(partial, content=source.content, settings=source.settings, base_offset=offset)
            _fsync_files(partial)
            partial.rename(self._folder / version_id)
            _fsync(self._folder)
        except BaseException:
            self._journal.unpin(version_id)
            with suppress(AisleError):  # the first error is told
                discard_store(source.settings.store, partial / STORE)
            shutil.rmtree(partial, ignore_errors=True)
            raise
        return Version.read(self._folder / version_id)

    def can_be_current(self, version: Version) -> bool:
        """Tell whether a version can come to hold all that the journal holds; a snapshot stays as it was built."""
        is_writable = version.settings.store != "faiss"
        return is_writable or not self._journal.product_changes(version.base_offset, most=1)

    def remove(self, version_id: str) -> None:
        """Delete a version and what the journal keeps for it.

        Raises:
            UsageError: If there is none of this id, or it is the current one.
            ServiceError: If the cluster that holds its products does not answer; the version stays.
        """
        version, current = self.get(version_id), self.current()
        if current is not None and current.id == version_id:
            raise UsageError("The current version must stay", received={"id": version_id}, remedy="Switch first.")
        discard_store(version.settings.store, version.folder / STORE)
        # Under another name first: a version that is killed while it is deleted must not be taken for a whole one.
        gone = self._folder / f"{_PARTIAL}{version_id}"
        version.folder.rename(gone)
        self._journal.unpin(version_id)
        shutil.rmtree(gone)

    def _mend_pins(self) -> None:
        """Let the journal keep what the versions that are there need, and nothing for those that are gone."""
        pinned, needed = self._journal.pins(), {version.id: version.base_offset for version in self.all()}
        for name in pinned.keys() - needed.keys():
            self._journal.unpin(name)
        for name, offset in needed.items():
            if pinned.get(name) != offset and offset <= self._journal.head:
                self._journal.pin(name, offset)

    def _changes(self, offset: int) -> Sequence[JournalledChange]:
        """Return all that the journal holds up to an offset."""
        found: list[JournalledChange] = []
        after = 0
        while after < offset:
            part = self._journal.product_changes(after, most=_CHANGES_AT_ONCE)
            found += (change for change in part if change.offset <= offset)
            after = part[-1].offset if len(part) == _CHANGES_AT_ONCE else offset
        return found


def _fsync_files(folder: Path) -> None:
    for path in folder.rglob("*"):
        _fsync(path)
    _fsync(folder)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
