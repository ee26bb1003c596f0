"""The fields of products as the store was built with them, each a line of JSON that is read by its place.

The engine keeps them too, among what it filters by: reading 24 products there takes as long as finding them. Here it is
a tenth of that. Products that were put or taken out since are noted by their index, and asked of the engine.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from aisle.store.folder import lost

__all__ = ["FieldsWriter", "KeptFields"]

_LINES, _PLACES, _CHANGED = "fields.jsonl", "fields.npy", "fields_changed.bin"
_MISSING = -1


class FieldsWriter:
    """Writes the fields of a catalogue while its store is built.

    Args:
        folder: Of the engine's files.

    Raises:
        WorkspaceError: From every method, if it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        with _errors(folder):
            self._folder, self._lines = folder, (folder / _LINES).open("wb")
        self._index: list[int] = []
        self._length: list[int] = []

    def add(self, product_index: Sequence[int], fields: Iterable[Mapping[str, Any]]) -> None:
        """Write products."""
        lines = [orjson.dumps(one, option=orjson.OPT_APPEND_NEWLINE) for one in fields]
        with _errors(self._folder):
            self._lines.write(b"".join(lines))
        self._index += product_index
        self._length += map(len, lines)

    def close(self) -> None:
        """Bring all to disk."""
        end = np.cumsum(np.array(self._length, np.int64))
        places = np.full((max(self._index, default=-1) + 1, 2), _MISSING)
        places[self._index] = np.stack([end - self._length, self._length], axis=1) if self._index else places
        with _errors(self._folder), self._lines:
            np.save(self._folder / _PLACES, places)
            (self._folder / _CHANGED).touch()
            self._lines.flush()
            os.fsync(self._lines.fileno())


class KeptFields:
    """Reads the fields of products that are as they were when the store was built.

    One thread changes, any number read. What changed is written down before the engine changes it, and is on disk with
    the engine's next flush; what a crash takes after that comes again from the journal.

    Args:
        folder: Of the engine's files.

    Raises:
        WorkspaceError: If a file is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with _errors(folder):
            self._places: np.ndarray = np.load(folder / _PLACES, allow_pickle=False)
            changed = (folder / _CHANGED).read_bytes()
            self._changes = os.open(folder / _CHANGED, os.O_RDWR)
            self._lines = os.open(folder / _LINES, os.O_RDONLY)
        self._num_changes = len(changed) // 8  # of a last one that was cut, the engine knows nothing yet
        self._changed = set(np.frombuffer(changed[: self._num_changes * 8], np.int64).tolist())

    @staticmethod
    def are_in(folder: Path) -> bool:
        """Tell whether the store was built with kept fields."""
        return (folder / _PLACES).exists()

    def read(self, product_index: Sequence[int]) -> dict[int, dict[str, Any]]:
        """Return the fields of those products that did not change.

        Raises:
            WorkspaceError: If the file is damaged.
        """
        known = len(self._places)
        kept = [index for index in product_index if index < known and index not in self._changed]
        places = zip(kept, self._places[kept].tolist(), strict=True)
        with _errors(self._folder):
            return {
                index: orjson.loads(os.pread(self._lines, length, begin))
                for index, (begin, length) in places
                if begin != _MISSING
            }

    def note_changed(self, product_index: Sequence[int]) -> None:
        """Note products that are about to change.

        Raises:
            WorkspaceError: If it cannot be written.
        """
        new = [index for index in product_index if index < len(self._places) and index not in self._changed]
        if not new:
            return
        values = np.array(new, np.int64).tobytes()
        with _errors(self._folder):
            if os.pwrite(self._changes, values, self._num_changes * 8) < len(values):
                raise OSError("the disk is full")  # the next attempt begins at the same place
        self._num_changes += len(new)
        self._changed.update(new)

    def flush(self) -> None:
        """Bring what was noted to disk.

        Raises:
            WorkspaceError: If it cannot be written.
        """
        with _errors(self._folder):
            os.fsync(self._changes)

    def close(self) -> None:
        """Close the files."""
        os.close(self._lines)
        os.close(self._changes)


@contextmanager
def _errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError) as error:
        raise lost(folder, f"kept fields: {error}") from error
