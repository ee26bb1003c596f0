"""Going on from a log that was mined: what is carried over, and the check that it may be."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from aisle.core.errors import TableError, WorkspaceError
from aisle.mining.database import exactly, run_sql
from aisle.mining.windows import Windows

__all__ = ["CARRIED_TABLES", "Carried", "check_unchanged", "mined_until", "write_before"]

CARRIED_TABLES = ("neighbours_query", "neighbours_product", "statistics")
"""Tables of a snapshot that nothing later changes."""

_BEFORE = "before.json"
_PARTS = ("searches", "actions", "products", "impressions", "log")


@dataclass(frozen=True)
class Carried:
    """What a longer log takes from a shorter one that was mined.

    Attributes:
        folder: The artefact of the shorter log.
        mined: Its windows.
        windows: Those of the longer log, which go on from them.
    """

    folder: Path
    mined: Windows
    windows: Windows

    @property
    def num_snapshots(self) -> int:
        """Snapshots that are taken over; the last one of a log is always made anew."""
        return min(self.mined.num_slices, self.windows.num_slices - 1)

    @property
    def fresh_us(self) -> int:
        """Time of the last snapshot that is taken over: searches from there on are labelled anew."""
        return self.windows.snapshot_times[self.num_snapshots - 1]

    def paths(self) -> dict[str, object]:
        """Return files and times by the names that the SQL files give them."""
        return {
            "mined_examples": exactly(self.folder / "examples" / "train.parquet"),
            "mined_outcomes": exactly(self.folder / "outcomes" / "train.parquet"),
            "mined_statistics": exactly(self.folder / "statistics" / f"{self.num_snapshots}.parquet"),
            "fresh_us": self.fresh_us,
        }

    def copy_snapshots(self, folder: Path) -> None:
        """Copy the tables of the snapshots that are taken over."""
        for name in CARRIED_TABLES:
            for snapshot in range(1, self.num_snapshots + 1):
                shutil.copyfile(self.folder / name / f"{snapshot}.parquet", folder / name / f"{snapshot}.parquet")


def write_before(connection: duckdb.DuckDBPyConnection, windows: Windows, folder: Path, impressions: object) -> None:
    """Write what the training window was mined from, in counts and hashes: a longer log must have the same.

    Args:
        connection: After `signals.sql`.
        windows: The boundaries.
        folder: Existing folder of the result.
        impressions: File of the impressions, as a pattern.
    """
    before = _before(connection, windows, impressions, num_products=None)
    (folder / _BEFORE).write_text(json.dumps(before, indent=1, sort_keys=True), encoding="utf-8")


def check_unchanged(connection: duckdb.DuckDBPyConnection, carried: Carried, impressions: object) -> None:
    """Refuse a longer log that changes what the shorter one was mined from.

    Args:
        connection: After `since_shown.sql`.
        carried: What is to be taken over.
        impressions: File of the impressions, as a pattern.

    Raises:
        WorkspaceError: If the shorter log does not tell what it was mined from.
        TableError: If rows before the end of its training window are others, or products are numbered otherwise.
    """
    mined = _read_before(carried.folder)
    found = _before(connection, carried.mined, impressions, num_products=mined["products"]["amount"])
    changed = [part for part in found if part != "log" and found[part] != mined.get(part)]
    if changed:
        counts = {part: (mined[part]["amount"], found[part]["amount"]) for part in changed}
        raise TableError(
            "Rows before the end of the training window that was mined must be as they were",
            received={f"{part}_then_and_now": amounts for part, amounts in counts.items()},
            remedy="Run `aisle mine` without --since.",
        )


def mined_until(folder: Path) -> int:
    """Return the time of the last search of a mined log, in microseconds.

    Raises:
        WorkspaceError: If it does not tell.
    """
    return int(_read_before(folder)["log"]["content"])


def _read_before(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        before: dict[str, dict[str, Any]] = json.loads((folder / _BEFORE).read_text(encoding="utf-8"))
        if all(isinstance(before[part]["amount"], int) for part in _PARTS):
            return before
        problem = "a count is no number"
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = str(error)
    raise WorkspaceError(
        "A mined log must tell what it was mined from, for a longer one to go on from it",
        received={"file": str(folder / _BEFORE), "problem": problem},
        remedy="Run `aisle mine` once without --since.",
    )


def _before(
    connection: duckdb.DuckDBPyConnection, windows: Windows, impressions: object, *, num_products: int | None
) -> dict[str, dict[str, Any]]:
    values = {
        "before_us": windows.train_end,
        "before_slices": windows.num_slices,
        "before_products": 2**31 - 1 if num_products is None else num_products,
        "impressions": impressions,
    }
    rows = run_sql(connection, "mined_before", values).fetchall()
    return {part: {"amount": int(amount), "content": content} for part, amount, content in rows}
