"""`aisle evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from aisle.cli.options import JsonOption, WorkspaceOption
from aisle.cli.output import print_json, say

if TYPE_CHECKING:
    from aisle.pipelines.evaluating import EvaluationOutcome

__all__ = ["evaluate", "print_outcome"]


def evaluate(
    workspace: WorkspaceOption = Path("workspace"),
    split: Annotated[str, typer.Option(help="Judgments to measure on: train, validation or test.")] = "test",
    systems: Annotated[str, typer.Option(help="Systems to compare, with commas.")] = "lexical,semantic,hybrid",
    min_grade: Annotated[
        float, typer.Option(help="Least grade of a relevant product for recall and MRR, in the judgments' own units.")
    ] = 1.0,
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

    names = [name.strip() for name in systems.split(",") if name.strip()]
    outcome = evaluate_systems(
        Workspace.open(workspace), split=split, systems=names, min_grade=min_grade, run=run, seed=seed
    )
    if as_json:
        print_json(outcome.as_dict())
        return
    print_outcome(outcome)


def print_outcome(outcome: EvaluationOutcome) -> None:
    """Print measures as a table, with what a reader must know about them."""
    from rich.console import Console

    from aisle.evaluation import evaluation_table

    Console().print(evaluation_table(outcome.evaluation))
    if outcome.num_unknown:
        say(f"{outcome.num_unknown:,} judged products are not in the catalogue; they count as missed.")
    hybrid = outcome.hybrid
    say(f"Hybrid: {hybrid['fusion']}, semantic weight {hybrid['semantic_weight']} ({hybrid['weight_from']}).")
    for file in outcome.files:
        say(f"Wrote {file}")
