"""`aisle evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast, get_args

import typer

from aisle.cli.options import JsonOption, WorkspaceOption
from aisle.cli.output import print_json, say
from aisle.core.errors import UsageError

if TYPE_CHECKING:
    from aisle.pipelines.evaluating import EvaluationOutcome, Labels

__all__ = ["as_labels", "as_names", "evaluate", "print_outcome"]


def evaluate(
    workspace: WorkspaceOption = Path("workspace"),
    split: Annotated[str, typer.Option(help="Part of judgments or log; of a log validation or test.")] = "test",
    systems: Annotated[str, typer.Option(help="Systems to compare, with commas.")] = "lexical,semantic,hybrid",
    min_grade: Annotated[
        float, typer.Option(help="Least grade of a relevant product for recall and MRR, in the judgments' own units.")
    ] = 1.0,
    labels: Annotated[
        str | None,
        typer.Option(
            help="What is to be found: judgments, log (the orders of its searches) or truth (of a simulated "
            "marketplace). Without it the log where one was mined, else judgments.",
        ),
    ] = None,
    max_searches: Annotated[int, typer.Option(min=1, help="Most searches of a log, drawn evenly.")] = 10_000,
    slices: Annotated[
        str | None,
        typer.Option(
            help="Slices of a log to print, with commas: band, signed-in, returning, history, cold, domestic, repeats. "
            "Without it all."
        ),
    ] = None,
    run: Annotated[
        Path | None, typer.Option(help="Write runs in TREC's format here, with qrels and queries beside them.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of bootstrap and permutations.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Measure R@10, R@100, nDCG@10 and MRR over the whole catalogue, with 95 % intervals and paired tests.

    Example: `aisle evaluate --workspace shop --min-grade 3 --run out.trec --json`
    """
    from aisle.pipelines.evaluating import evaluate_systems
    from aisle.workspace import Workspace

    outcome = evaluate_systems(
        Workspace.open(workspace),
        split=split,
        systems=as_names(systems),
        labels=as_labels(labels),
        min_grade=min_grade,
        max_searches=max_searches,
        slices=as_names(slices) if slices is not None else None,
        run=run,
        seed=seed,
    )
    if as_json:
        print_json(outcome.as_dict())
        return
    print_outcome(outcome)


def as_names(listed: str) -> list[str]:
    """Split what was written with commas."""
    return [name.strip() for name in listed.split(",") if name.strip()]


def as_labels(name: str | None) -> Labels | None:
    """Return the labels of a name; None where none was given.

    Raises:
        UsageError: If there are none of that name.
    """
    from aisle.pipelines.evaluating import Labels

    for label in get_args(Labels):
        if name == label:
            return cast("Labels", label)
    if name is None:
        return None
    raise UsageError(
        f"Labels must be one of {', '.join(get_args(Labels))}",
        received={"labels": name},
        remedy="Leave --labels out for the log where one was mined, else judgments.",
    )


_ASKED = {"judgments": "queries", "log": "searches", "truth": "searches"}


def print_outcome(outcome: EvaluationOutcome) -> None:
    """Print measures as a table, with what a reader must know about them."""
    from rich.console import Console

    from aisle.evaluation import evaluation_table

    Console().print(evaluation_table(outcome.evaluation, wanted=f"{_ASKED[outcome.labels]} with {outcome.labelled}"))
    if outcome.labels == "truth":
        say("Truth of a simulated marketplace: these figures are simulated.")
    if outcome.shown_by:
        shares = ", ".join(f"{part} {share:.1%}" for part, share in outcome.shown_by.items())
        say(f"These {outcome.labelled} by the part of the logging policy that had shown the product: {shares}.")
    if outcome.exposures:
        say("Logged orders favour what was shown. Of the log's impressions, clicks and orders:")
    for part, shares in (outcome.exposures or {}).items():
        say(f"  {part}: " + ", ".join(f"{share:.1%}" for share in shares.values()))
    if outcome.num_unknown:
        say(f"{outcome.num_unknown:,} judged products are not in the catalogue; they count as missed.")
    hybrid = outcome.hybrid
    say(f"Hybrid: {hybrid['fusion']}, semantic weight {hybrid['semantic_weight']} ({hybrid['weight_from']}).")
    for file in outcome.files:
        say(f"Wrote {file}")
