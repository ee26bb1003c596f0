"""`aisle compare`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aisle.cli.evaluation import MeasuresOption, SlicesOption, as_labels, as_names
from aisle.cli.options import JsonOption, WorkspaceOption
from aisle.cli.output import keep_for_report, print_json, say

if TYPE_CHECKING:
    from rich.table import Table

    from aisle.evaluation import Compared
    from aisle.pipelines.comparing import CompareOutcome, ToldChange

__all__ = ["compare"]

_RUN = "a system of this workspace (lexical, semantic, hybrid), a run (.trec, .parquet), or FOLDER:SYSTEM of another."


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help=f"The system to compare with: {_RUN}")],
    second: Annotated[str, typer.Argument(metavar="B", help="The system to be judged, likewise.")],
    workspace: WorkspaceOption = Path("workspace"),
    split: Annotated[str, typer.Option(help="Part of judgments or log; of a log validation or test.")] = "test",
    min_grade: Annotated[float, typer.Option(help="Least grade of a relevant product, in the judgments' units.")] = 1.0,
    labels: Annotated[str | None, typer.Option(help="What is to be found: judgments, log or truth.")] = None,
    max_searches: Annotated[int, typer.Option(min=1, help="Most searches of a log, drawn evenly.")] = 10_000,
    slices: SlicesOption = None,
    measures: MeasuresOption = "nDCG@10,R@10,R@100,MRR",
    examples: Annotated[int, typer.Option(min=0, help="Wins and losses to tell, each.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of bootstrap, permutations and the draw of searches.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Compare two systems query by query: differences by slice, tested together, and the biggest wins and losses.

    Wins and losses are by the first of the measures. The last outcome of each pair is kept in the workspace's
    `comparison/` for `aisle report`.

    Example: `aisle compare lexical hybrid --workspace shop --slices band`

    Example: `aisle compare before.trec other/shop:semantic --workspace shop --measures R@100,P@5 --json`
    """
    from aisle.pipelines.comparing import compare_systems
    from aisle.pipelines.kept_outcomes import keep_comparison
    from aisle.pipelines.questions import Asked
    from aisle.workspace import Workspace

    groups = as_names(slices) if slices is not None else None
    opened = Workspace.open(workspace)
    asked = Asked(split, as_labels(labels), min_grade, max_searches, groups, seed)
    outcome = compare_systems(
        opened,
        first,
        second,
        asked=asked,
        measures=as_names(measures),
        num_changes=examples,
        seed=seed,
    )
    if as_json:
        print_json(outcome.as_dict())
    else:
        _print(outcome)
    keep_for_report(lambda: keep_comparison(opened, outcome, asked=asked, num_changes=examples))


def _print(outcome: CompareOutcome) -> None:
    from rich.console import Console

    console = Console()
    console.print(_table(outcome))
    counts = outcome.num_better
    console.print(
        f"By {outcome.measures[0]} B is better on {counts['better']:,} queries, worse on {counts['worse']:,}, "
        f"alike on {counts['alike']:,}.",
        highlight=False,
    )
    for heading, changes in (("Biggest wins of B", outcome.wins), ("Biggest losses of B", outcome.losses)):
        if changes:
            console.print(f"\n{heading}", style="bold")
        for change in changes:
            console.print(_sentence(change, measure=outcome.measures[0]), markup=False, highlight=False)
    if outcome.labels == "truth":
        say("Truth of a simulated marketplace: these figures are simulated.")
    for note in outcome.notes:
        say(note)


def _table(outcome: CompareOutcome) -> Table:
    from rich.text import Text

    from aisle.evaluation import plain_table

    comparison = outcome.comparison
    table = plain_table(
        f"B = {outcome.second} against A = {outcome.first}, to be found: {outcome.labelled}",
        "B - A [95 % bootstrap interval], A → B. p: two-sided paired randomisation test, corrected by Holm for "
        f"{comparison.num_tests} comparisons.",
    )
    table.add_column("queries")
    for measure in outcome.measures:
        table.add_column(measure, justify="right")
    for name, row in comparison.rows.items():
        count = comparison.num_queries[name]
        table.add_row(Text(f"{name}\n({count:,})"), *(Text(_cell(row[measure])) for measure in outcome.measures))
    return table


def _cell(compared: Compared) -> str:
    from aisle.evaluation import p_text

    if math.isnan(compared.difference):
        return "–"
    interval = "" if math.isnan(compared.low) else f"\n[{compared.low:.3f}, {compared.high:.3f}]"
    means = f"{compared.first:.3f} → {compared.second:.3f}"
    return f"{compared.difference:+.3f} {p_text(compared.corrected_p)}{interval}\n{means}"


def _sentence(change: ToldChange, *, measure: str) -> str:
    is_win = change.difference > 0
    kind = f" ({change.slice})" if change.slice else ""
    missed, found = ("A", "B") if is_win else ("B", "A")
    places = (change.first_place, change.second_place)
    worse, better = places if is_win else reversed(places)
    instead = "; ".join(_quoted(product) for product in change.instead) or "nothing"
    return (
        f"“{change.query}”{kind}, {measure} {change.difference:+.3f}: {missed} missed {_quoted(change.product)} "
        f"({_place(worse)}; {found}: {_place(better)}). {missed} showed instead: {instead}."
    )


def _quoted(product: dict[str, str]) -> str:
    return f"“{product['title']}” ({product['product_id']})" if product["title"] else product["product_id"]


def _place(place: int | None) -> str:
    return "not retrieved" if place is None else f"place {place:,}"
