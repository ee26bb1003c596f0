"""Finds the files of a data set in its folder."""

from __future__ import annotations

from pathlib import Path

from aisle.core.errors import SourceError

__all__ = ["find_file", "find_files"]

_ENDINGS = ("", ".gz")


def find_file(folder: Path, name: str) -> Path | None:
    """Return a file of a data set, plain or packed (`.gz`); None where neither is there."""
    return next((path for ending in _ENDINGS if (path := folder / f"{name}{ending}").is_file()), None)


def find_files(folder: Path, names: tuple[str, ...], *, source: str, remedy: str) -> dict[str, Path]:
    """Return the files that a data set must hold, by name.

    Args:
        folder: Where they lie, plain or packed (`.gz`).
        names: Their names, without `.gz`.
        source: The data set, for the error.
        remedy: What to do where one is missing.

    Raises:
        SourceError: If one is missing; names all that are.
    """
    found = {name: path for name in names if (path := find_file(folder, name)) is not None}
    missing = [name for name in names if name not in found]
    if missing:
        there = sorted(file.name for file in folder.glob("*"))[:20]
        raise SourceError(
            f"A folder of {source} must hold {', '.join(names)}",
            received={"path": str(folder), "missing": missing, "files": there},
            remedy=remedy,
        )
    return found
