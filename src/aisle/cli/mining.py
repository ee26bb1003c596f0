"""`aisle mine`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aisle.cli.options import JsonOption, RecipeOption, SetOption, WorkspaceOption
from aisle.cli.output import print_json

__all__ = ["mine"]

_COLUMNS = {
    "searches": "searches",
    "with a positive": "searches_with_positive",
    "ordered": "ordered",
    "carted": "carted",
    "favorited": "favorited",
    "clicked": "clicked",
    "skipped": "skipped",
    "assisted": "assisted",
    "repeat orders": "repeat_orders",
    "positives per search": "positives_per_search",
    "of cold products": "cold_positive_share",
}


def mine(
    workspace: WorkspaceOption = Path("workspace"),
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Mine the search log: split by time, examples with stages, histories, and snapshots of graph and statistics.

    Reads searches and impressions, and events and users where they were imported. Skipped when nothing changed.

    Example: `aisle mine --workspace shop --set mining.num_slices=12`
    """
    from aisle.pipelines.mining import mine as mine_workspace
    from aisle.pipelines.recipe import load_recipe
    from aisle.workspace import Workspace

    result = mine_workspace(Workspace.open(workspace), load_recipe(recipe, overrides or []).mining)
    if as_json:
        print_json({"step": "mine", "skipped": result.skipped, **result.manifest.summary})
    else:
        _print_tables(result.manifest.summary, skipped=result.skipped)


def _print_tables(summary: Mapping[str, Any], *, skipped: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    splits = Table(title=f"mine ({'unchanged: skipped' if skipped else 'done'})", title_justify="left")
    splits.add_column("split, band")
    for heading in _COLUMNS:
        splits.add_column(heading, justify="right")
    for split, figures in summary["splits"].items():
        splits.add_row(split, *map(_shown, (figures[name] for name in _COLUMNS.values())))
        for band, part in figures["bands"].items():
            splits.add_row(f"  {band}", *map(_shown, (part[name] for name in _COLUMNS.values())))
    rows = Table(title="where every row went", title_justify="left", show_header=False)
    for section in ("searches", "impressions", "action_times", "events", "queries", "products", "histories"):
        rows.add_row(section, ", ".join(_phrase(name, value) for name, value in summary[section].items()))
    held_out = ("validation", "test")
    shares = [f"{split} {summary['splits'][split]['new_query_share']:.1%}" for split in held_out]
    rows.add_row("new queries", ", ".join(shares))
    for name, part in summary.get("exposures", {}).items():
        rows.add_row(f"exposed by {name}", ", ".join(f"{kind} {value:.1%}" for kind, value in part.items()))
    rows.add_row("windows", ", ".join(f"{name} {value}" for name, value in summary["windows"].items()))
    rows.add_row("cost", f"{summary['seconds']:,} s, {summary['peak_gb']} GB at most")
    Console().print(splits, rows, markup=False)


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _phrase(name: str, value: int) -> str:
    return f"{name.replace('_', ' ')} {value:,}"
