"""`aisle tune`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from aisle.cli.options import JsonOption, WorkspaceOption
from aisle.cli.output import print_json, say

__all__ = ["tune"]


def tune(
    workspace: WorkspaceOption = Path("workspace"),
    ann_recall: Annotated[
        float, typer.Option(help="Least share of the exact top k that the index must find, up to 1.")
    ] = 0.97,
    trials: Annotated[int, typer.Option(min=1, help="Indexes to build at most.")] = 12,
    max_queries: Annotated[int, typer.Option(min=1, help="Most validation queries to measure on.")] = 1000,
    k: Annotated[int, typer.Option("--k", min=1, help="Depth at which recall and speed are measured.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed of the settings tried and of the draw of queries.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Find the fastest index that keeps a stated recall against exact search, and build it.

    Run it after every new model. `aisle index` builds what its recipe says again; the settings to put there are
    printed.

    Example: `aisle tune --workspace shop --ann-recall 0.98`
    """
    from aisle.pipelines.tuning import TuneConfig, tune_workspace
    from aisle.workspace import Workspace

    config = TuneConfig(ann_recall=ann_recall, trials=trials, max_queries=max_queries, k=k, seed=seed)
    result = tune_workspace(Workspace.open(workspace), config)
    summary = result.manifest.summary
    if as_json:
        print_json({"step": "tune", "skipped": result.skipped, **summary})
    else:
        _print(summary, workspace, skipped=result.skipped)


def _print(summary: Mapping[str, Any], workspace: Path, *, skipped: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    state = "unchanged: skipped" if skipped else "done"
    title = f"tune ({state}): the fastest of {summary['tried']} settings by recall, {summary['queries']:,} queries"
    table = Table(title=title, title_justify="left")
    for name in ("", "settings", "queries/s", "ann_recall", "bytes per product"):
        table.add_column(name, justify="right" if name in {"queries/s", "ann_recall", "bytes per product"} else "left")
    shown = _fastest(summary["front"], summary["chosen"])
    for point in shown:
        table.add_row(
            "→" if point == summary["chosen"] else "",
            f"{point['kind']}: " + ", ".join(f"{name} {value}" for name, value in point["settings"].items()),
            f"{point['queries_s']:,.0f}",
            f"{point['ann_recall']:.4f}",
            f"{point['bytes_per_product']:,.0f}",
        )
    Console().print(table)
    say(f"Exact search: {summary['exact_queries_s']:,.0f} queries/s. One thread, k = {summary['k']}.")
    say("Built with: " + " ".join(f"--set {setting}" for setting in summary["settings"]))
    smaller = len(summary["front"]) - len(shown)
    say(f"Kept in {workspace / 'tuning'}, with {smaller} slower ones that are smaller, and the plot pareto.html.")


def _fastest(front: Sequence[Mapping[str, Any]], chosen: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the points that no faster one equals in recall, the fastest first, and the chosen one."""
    shown, best = [], -1.0
    for point in sorted(front, key=lambda point: -point["queries_s"]):
        if point["ann_recall"] > best or point == chosen:
            shown.append(point)
            best = max(best, point["ann_recall"])
    return shown
