"""Snapshots of graph, statistics and sampling probabilities: one set of files for every boundary in time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from aisle.core.progress import Advance
from aisle.mining.continuing import CARRIED_TABLES, Carried
from aisle.mining.database import run_sql
from aisle.mining.windows import Windows

__all__ = ["write_snapshots"]

_BEFORE_ALL = -(2**62)
_FOLDERS = (*CARRIED_TABLES, "sampling")


def write_snapshots(
    connection: duckdb.DuckDBPyConnection,
    windows: Windows,
    folder: Path,
    parameters: Mapping[str, object],
    *,
    carried: Carried | None = None,
    advance: Advance,
) -> None:
    """Write `<kind>/<snapshot>.parquet` for every snapshot, and sampling probabilities for every slice that trains.

    Args:
        connection: After `signals.sql`.
        windows: The boundaries.
        folder: Existing folder of the result.
        parameters: Settings, by the names that the SQL files give them.
        carried: A shorter log whose first snapshots are taken over; None: all are made.
        advance: Called after every snapshot.
    """
    for name in _FOLDERS:
        (folder / name).mkdir(exist_ok=True)
    times = [_BEFORE_ALL, *windows.snapshot_times]
    # Searches are numbered by time, so a slice is a range of numbers.
    begins = [_num_before(connection, time) for time in times]
    num_carried = 0
    if carried is not None:
        carried.copy_snapshots(folder)
        run_sql(connection, "since_totals", parameters)
        num_carried = carried.num_snapshots
    for snapshot in range(1, len(times)):
        values = {
            **parameters,
            **{name: str(folder / name / f"{snapshot}.parquet") for name in _FOLDERS},
            "snapshot": snapshot,
            "previous_us": times[snapshot - 1],
            "snapshot_us": times[snapshot],
        }
        if snapshot > num_carried:
            run_sql(connection, "snapshot_graph", values)
            run_sql(connection, "snapshot_statistics", values)
        run_sql(connection, "snapshot_queries", values)
        if snapshot < windows.num_slices:
            slice_after = {"first_search": begins[snapshot], "end_search": begins[snapshot + 1]}
            run_sql(connection, "snapshot_sampling", values | slice_after)
        advance(1, f"snapshot {snapshot}")


def _num_before(connection: duckdb.DuckDBPyConnection, time_us: int) -> int:
    sql = "SELECT count(*) FROM searches WHERE searched_us < $time_us"
    [(count,)] = connection.execute(sql, {"time_us": time_us}).fetchall()
    return int(count)
