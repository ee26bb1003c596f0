"""`aisle mine`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aisle.cli.options import JsonOption, RecipeOption, SetOption, WorkspaceOption
from aisle.cli.output import print_json

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["mine"]

_Since = Annotated[
    str | None,
    typer.Option(metavar="DATE|last", help="Go on from the log that was mined: its first new day, or whatever is new."),
]
_FIGURES = {
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
    since: _Since = None,
    as_json: JsonOption = False,
) -> None:
    """Mine the search log: split by time, examples with stages, histories, and snapshots of graph and statistics.

    Reads searches and impressions, and events and users where they were imported. Skipped when nothing changed.
    With --since a day that was added (`aisle import --add`) is mined without doing the old ones again.

    Example: `aisle mine --workspace shop --set mining.num_slices=12`

    Example: `aisle mine --workspace shop --since last`
    """
    from aisle.pipelines.mining import mine as mine_workspace
    from aisle.pipelines.recipe import load_recipe
    from aisle.workspace import Workspace

    result = mine_workspace(Workspace.open(workspace), load_recipe(recipe, overrides or []).mining, since=since)
    if as_json:
        print_json({"step": "mine", "skipped": result.skipped, **result.manifest.summary})
    else:
        _print_tables(result.manifest.summary, skipped=result.skipped)


def _print_tables(summary: Mapping[str, Any], *, skipped: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    # Figures as rows: so each table fits into 80 columns.
    splits = summary["splits"]
    tables = [_figures(f"mine ({'unchanged: skipped' if skipped else 'done'})", splits)]
    tables += [_figures(f"{split} by frequency of the query", part["bands"]) for split, part in splits.items()]
    rows = Table(title="where every row went", title_justify="left", show_header=False)
    for section in ("searches", "impressions", "action_times", "events", "queries", "products", "histories"):
        rows.add_row(section.replace("_", " "), ", ".join(_phrase(*part) for part in summary[section].items()))
    shares = [f"{split} {splits[split]['new_query_share']:.1%}" for split in ("validation", "test")]
    rows.add_row("new queries", ", ".join(shares))
    for name, part in summary.get("exposures", {}).items():
        rows.add_row(f"exposed by {name}", ", ".join(f"{_words(kind)} {value:.1%}" for kind, value in part.items()))
    rows.add_row(
        "windows", ", ".join(f"{_words(name)} {_minutes(value)}" for name, value in summary["windows"].items())
    )
    rows.add_row("cost", f"{summary['seconds']:,} s, {summary['peak_gb']} GB at most")
    Console().print(*tables, rows, markup=False)


def _figures(title: str, columns: Mapping[str, Mapping[str, Any]]) -> Table:
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    table.add_column("")
    for heading in columns:
        table.add_column(heading, justify="right")
    for label, name in _FIGURES.items():
        table.add_row(label, *(_shown(part[name]) for part in columns.values()))
    return table


def _shown(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def _phrase(name: str, value: int) -> str:
    return f"{_words(name)} {value:,}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _minutes(value: object) -> str:
    """Show times by the minute, and anything else as it is."""
    if isinstance(value, list):
        return " · ".join(map(_minutes, value))
    return value[:16].replace("T", " ") if isinstance(value, str) else str(value)
