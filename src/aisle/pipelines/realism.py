"""The log of a workspace beside published figures: a page and its table."""

from __future__ import annotations

from pathlib import Path

from aisle.simulation.realism import Comparison, compare, measure_log
from aisle.simulation.realism_page import write_realism_page
from aisle.workspace import Workspace

__all__ = ["report_realism"]

_TABLES = ("searches", "impressions", "events")


def report_realism(workspace: Workspace, file: Path) -> list[Comparison]:
    """Measure the workspace's log, write the page and return its table.

    Raises:
        WorkspaceError: If the workspace has no log, or a file of it is not as written.
    """
    searches, impressions, events = (workspace.verified(name) / f"{name}.parquet" for name in _TABLES)
    figures = measure_log(searches=searches, impressions=impressions, events=events)
    write_realism_page(figures, file)
    return compare(figures)
