"""`aisle ablate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aisle.cli.evaluation import as_labels, as_names
from aisle.cli.options import JsonOption, RecipeOption, SetOption, WorkspaceOption
from aisle.cli.output import print_json, say

if TYPE_CHECKING:
    from aisle.pipelines.ablating import AblationOutcome

__all__ = ["ablate"]

_MOST_COLUMNS = 7
"""More do not fit into a terminal with an interval in each."""


def ablate(
    workspace: WorkspaceOption = Path("workspace"),
    spec: Annotated[
        Path | None, typer.Option(help="TOML file of the rows; without it the rows of both papers' ingredients.")
    ] = None,
    rows: Annotated[
        str | None, typer.Option(help="Rows to run, with commas, beside their baselines. Without it all.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of every row that is trained.")] = 3,
    labels: Annotated[
        str | None,
        typer.Option(
            help="What the headline measures: truth (of a simulated marketplace), log or judgments. Without it the "
            "first of these that is there; the others stand beside it.",
        ),
    ] = None,
    min_grade: Annotated[float, typer.Option(help="Least grade of a relevant product, of judgments.")] = 1.0,
    max_searches: Annotated[int, typer.Option(min=1, help="Most searches of a log, drawn evenly.")] = 10_000,
    jobs: Annotated[int, typer.Option(min=1, help="Runs at a time, each with its share of the cores' threads.")] = 2,
    quick: Annotated[
        bool, typer.Option("--quick", help="One seed, one epoch, few searches: to see that everything works.")
    ] = False,
    keep_models: Annotated[
        bool, typer.Option("--keep-models", help="Keep the models, of 100 MB and more each.")
    ] = False,
    recipe: RecipeOption = None,
    overrides: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train the rows of an ablation with several seeds, and print what each ingredient earns.

    Each row is trained by its own settings on the same mined log, and compared with its baseline search by search, with
    intervals and p-values corrected by Holm. What was measured is kept by a hash of settings and tables: a killed run
    goes on, and a changed row alone is trained anew.

    Example: `aisle ablate --workspace shop --seeds 3 --rows "without graph,without history"`
    """
    from aisle.experiments import READY_SPECIFICATION
    from aisle.pipelines.ablating import AblationSettings
    from aisle.pipelines.ablating import ablate as ablate_workspace
    from aisle.workspace import Workspace

    settings = AblationSettings(
        specification=spec or READY_SPECIFICATION,
        recipe=recipe,
        overrides=tuple(overrides or ()),
        rows=as_names(rows) if rows is not None else None,
        seeds=seeds,
        labels=as_labels(labels),
        max_searches=max_searches,
        min_grade=min_grade,
        jobs=jobs,
        quick=quick,
        keep_models=keep_models,
    )
    outcome = ablate_workspace(Workspace.open(workspace), settings)
    if as_json:
        print_json(outcome.values)
    else:
        _print(outcome, workspace)


def _print(outcome: AblationOutcome, workspace: Path) -> None:
    from rich.console import Console

    console = Console()
    for table in outcome.tables:
        if len(table.header) <= _MOST_COLUMNS:
            console.print(table.rich())
            console.print()
    if any(len(table.header) > _MOST_COLUMNS for table in outcome.tables):
        say(f"By slice: see {workspace / 'ablation' / 'ablation.md'}, whose tables are too wide for a terminal.")
    if outcome.values["simulated"]:
        say("Of a simulated marketplace: these figures are simulated.")
    say(f"Kept in {workspace / 'ablation'} as Markdown, JSON and Parquet.")
