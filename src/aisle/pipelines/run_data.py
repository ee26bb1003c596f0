"""What data a run was measured on, written beside it, so that runs of different data are not compared."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from aisle.core.errors import SourceError, UsageError

__all__ = ["check_same_data", "read_run_data", "run_data_path", "write_run_data"]


def run_data_path(run: Path) -> Path:
    """Return the file that tells what data a run was measured on.

    >>> run_data_path(Path("out.semantic.trec")).name
    'out.semantic.data.json'
    """
    return run.with_suffix(".data.json")


def write_run_data(run: Path, data: Mapping[str, str]) -> Path:
    """Write the hashes of a run's data beside it and return the file.

    Raises:
        UsageError: If it cannot be written.
    """
    path = run_data_path(run)
    try:
        path.write_text(json.dumps(dict(data), indent=1) + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(
            "The file must be writable",
            received={"path": str(path), "error": error.strerror},
            remedy="Name another file.",
        ) from error
    return path


def read_run_data(run: Path) -> dict[str, str] | None:
    """Return the hashes of a run's data; None where the run comes from elsewhere and has none.

    Raises:
        SourceError: If the file beside the run is not as written.
    """
    path = run_data_path(run)
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SourceError(
            "The file of a run's data must be readable JSON",
            received={"path": str(path), "problem": str(error)},
            remedy="Delete it, or write the run again with `aisle evaluate --run`.",
        ) from error
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise SourceError(
            "The file of a run's data must hold hashes by name",
            received={"path": str(path)},
            remedy="Delete it, or write the run again with `aisle evaluate --run`.",
        )
    return found


def check_same_data(expected: Mapping[str, str], found: Mapping[str, str], *, name: str) -> None:
    """Refuse a system that was evaluated on other data.

    Args:
        expected: Hashes of this evaluation's data.
        found: Hashes of the other's.
        name: What the other is, for the message.

    Raises:
        UsageError: If any hash differs; names which.
    """
    differing = [part for part in expected if found.get(part) != expected[part]]
    if differing:
        here = {f"{part}_here": expected[part][:12] for part in differing}
        there = {f"{part}_there": str(found.get(part))[:12] for part in differing}
        raise UsageError(
            "Both systems must be evaluated on the same data",
            received={"system": name, "differing": differing, **here, **there},
            remedy="Import the same products and queries into both, and give both the same --split, --labels, "
            "--max-searches and --seed.",
        )
