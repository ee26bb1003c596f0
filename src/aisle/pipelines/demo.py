"""The whole way once: from a catalogue to a search page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from aisle.pipelines.evaluating import EvaluationOutcome, evaluate_systems
from aisle.pipelines.importing import import_source, import_tables
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.kept_outcomes import keep_evaluation
from aisle.pipelines.recipe import Recipe
from aisle.pipelines.training import train_model
from aisle.simulation import generate_catalogue
from aisle.sources import SourceTables
from aisle.workspace import StepResult, Workspace

__all__ = ["run_demo"]

Say = Callable[[str], None]

_GRADE_3 = 3.0


def run_demo(
    workspace: Workspace, recipe: Recipe, *, data: str, data_dir: Path | None, num_products: int, say: Say
) -> EvaluationOutcome:
    """Import, train, index and evaluate; a second run skips what is unchanged.

    Args:
        workspace: Where to.
        recipe: Settings.
        data: "generated" for a generated catalogue, or the name of a known data set.
        data_dir: Local folder of the data set; None downloads it.
        num_products: Products of the generated catalogue.
        say: Told what is being done, in words.
    """
    if data == "generated":
        say(f"1/4  import: generating a catalogue of {num_products:,} products with graded queries")
        simulated = generate_catalogue(num_products, seed=recipe.seed)
        tables = {"products": simulated.products, "judgments": simulated.judgments}
        import_tables(workspace, SourceTables(tables, {}, {"source": "generated", "seed": recipe.seed}))
    else:
        say(f"1/4  import: {data}")
        import_source(workspace, data, path=data_dir, cache=workspace.path / "downloads")
    say("2/4  train: pseudo-queries from the catalogue, then the two towers")
    say(_trained(train_model(workspace, recipe)))
    say("3/4  index: vectors, HNSW and BM25")
    say(_indexed(build_indexes(workspace, recipe)))
    say("4/4  evaluate: full catalogue, test queries")
    outcome = evaluate_systems(workspace, min_grade=_GRADE_3)
    keep_evaluation(workspace, outcome, settings={"split": "test"})
    return outcome


def _trained(result: StepResult) -> str:
    if result.skipped:
        return "     unchanged"
    summary = result.manifest.summary
    return (
        f"     {summary['steps']:,} steps in {summary['minutes']:.1f} minutes, {summary['pairs_s']:,.0f} pairs/s, "
        f"validation recall {summary['validation_recall']:.3f}"
    )


def _indexed(result: StepResult) -> str:
    if result.skipped:
        return "     unchanged"
    index, hybrid = result.manifest.summary["index"], result.manifest.summary["hybrid"]
    return (
        f"     {index['num_products']:,} products, ann_recall {index['ann_recall']:.3f}; "
        f"semantic weight {hybrid['semantic_weight']:.2f} ({hybrid['weight_from']})"
    )
