"""Where a mined log goes on: the day that is new, and the windows of the longer log."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int8, Int64

from aisle.core.config import flat_values
from aisle.core.errors import UsageError
from aisle.mining import Carried, MinedLog, MiningConfig, continue_windows, mined_until
from aisle.mining.windows import NO_SPLIT
from aisle.tables import SPLITS, read_parquet
from aisle.workspace import Workspace

__all__ = ["LAST", "check_same_settings", "go_on"]

LAST = "last"
"""In place of a date: whatever has come since the log was mined."""


def go_on(workspace: Workspace, config: MiningConfig, *, since: str) -> Carried:
    """Return what the present log takes over from the one that was mined.

    Args:
        workspace: Where both are.
        config: Settings.
        since: First day that was not mined, or `LAST`; with that a day without searches is taken in too.

    Raises:
        UsageError: If that is no date, the day was mined already or has no searches, or days before it were left out.
        WorkspaceError: If nothing was mined, or not so that a log can go on from it.
        TableError: If the windows of the longer log cannot follow those of the shorter one.
    """
    mined = MinedLog(workspace.verified("mined"))
    searched_us, split = _searches(workspace)
    if since != LAST:
        _check_since(since, searched_us, until_us=mined_until(mined.folder))
    windows = continue_windows(
        mined.windows,
        searched_us,
        split,
        validation_share=config.validation_share,
        test_share=config.test_share,
    )
    return Carried(mined.folder, mined.windows, windows)


def check_same_settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on under other settings than the log was mined with.

    Raises:
        UsageError: With every setting that differs.
    """
    then, wanted = flat_values(before), flat_values(now)
    changed: dict[str, object] = {
        f"mining.{name}": f"{then.get(name)} → {value}" for name, value in wanted.items() if then.get(name) != value
    }
    if changed:
        raise UsageError(
            "A log goes on under the settings that it was mined with",
            received=changed,
            remedy="Give the same --recipe and --set as then, or run `aisle mine` without --since.",
        )


def _check_since(since: str, searched_us: Int64[np.ndarray, " searches"], *, until_us: int) -> None:
    since_us = _microseconds(since)
    told: dict[str, object] = {"since": since, "mined_until": _iso(until_us)}
    if since_us <= until_us:
        raise UsageError(
            "A day that was mined already is not mined again",
            received=told,
            remedy="Name the first day that was not mined, or `last`; `aisle mine` without --since mines all anew.",
        )
    num_new, num_between = (
        int((searched_us >= since_us).sum()),
        int(((searched_us > until_us) & (searched_us < since_us)).sum()),
    )
    if num_between:
        raise UsageError(
            "No day may be left out between the log that was mined and the new one",
            received={**told, "searches_between": num_between},
            remedy="Name the first day that was not mined, or `last`.",
        )
    if not num_new:
        raise UsageError(
            "The new day must hold searches",
            received={**told, "searches_since": 0, "last_search": _iso(int(searched_us.max(initial=0)))},
            remedy="Import its log first: `aisle import --add --searches FILE --impressions FILE`.",
        )


def _searches(workspace: Workspace) -> tuple[Int64[np.ndarray, " searches"], Int8[np.ndarray, " searches"]]:
    """Return time and split of every search, as `continue_windows` takes them."""
    table = read_parquet(workspace.verified("searches") / "searches.parquet")
    searched_us = np.asarray(table.column("searched_at").cast(pa.int64()).to_numpy(), np.int64)
    if "split" not in table.column_names:
        return searched_us, np.full(len(searched_us), NO_SPLIT, np.int8)
    code = pc.fill_null(pc.index_in(table.column("split").cast(pa.string()), value_set=pa.array(SPLITS)), NO_SPLIT)
    return searched_us, np.asarray(code.to_numpy(), np.int8)


def _microseconds(since: str) -> int:
    try:
        time = datetime.fromisoformat(since)
    except ValueError as error:
        raise UsageError(
            f"--since must be a date, a time or {LAST!r}",
            received={"since": since},
            remedy="Write it as 2025-08-29 or 2025-08-29T06:00.",
        ) from error
    time = time if time.tzinfo is not None else time.replace(tzinfo=UTC)
    return int(np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "us").astype(np.int64))


def _iso(time_us: int) -> str:
    return f"{np.datetime64(time_us, 'us')}Z"
