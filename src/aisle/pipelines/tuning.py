"""`aisle tune`: the fastest index that still finds what exact search finds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from aisle.boosting import boosted_queries, with_boost
from aisle.core.charts import Series, line_chart
from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.errors import UsageError
from aisle.core.page import figure, html_page
from aisle.core.progress import progress_bar
from aisle.core.ranking import QueryBatch
from aisle.index import ExactIndex, IndexConfig, Point, choose_point, pareto_front, try_settings
from aisle.index.tuning import queries_per_second
from aisle.pipelines.boosted import BOOST
from aisle.pipelines.boosting import BOOST_VALUES, apply_boost, stored_boost
from aisle.pipelines.catalogue import read_products, validation_queries
from aisle.pipelines.indexing import build_indexes, encode_catalogue, sample_queries
from aisle.pipelines.logged_searches import logged_searches
from aisle.pipelines.recipe import Recipe
from aisle.pipelines.searching import check_current
from aisle.pipelines.training import load_encoder, load_model
from aisle.tables import Stage
from aisle.training import TrainingData
from aisle.workspace import StepResult, Workspace

__all__ = ["TUNING", "TuneConfig", "tune_workspace"]

TUNING = "tuning"
"""Name of the artefact."""

_LEAST_MISSED = 1e-4
"""Share of missed products below which a point is drawn at this height: a logarithmic axis has no 0."""


@dataclass(frozen=True)
class TuneConfig:
    """What is asked of an index."""

    ann_recall: float = 0.97
    """Least share of the exact top `k` that the index finds."""

    trials: int = 12
    """Indexes to build at most; each is searched with all its settings of searching."""

    max_queries: int = 1000
    """Most validation queries, drawn evenly."""

    k: int = 100
    """Depth at which recall and speed are measured."""

    seed: int = 0
    """Seed of what Optuna chooses and of the draw of queries."""


def tune_workspace(workspace: Workspace, config: TuneConfig) -> StepResult:
    """Measure settings of the index on the model's own validation queries, and build the index with the best.

    The artefact `tuning` holds every point, the front and its plot; the index's manifest holds the chosen settings. A
    boost that was kept is measured with, and put into the new index. Skipped when nothing changed but the settings of
    the index.

    Args:
        workspace: Where systems were indexed.
        config: What is asked.

    Raises:
        UsageError: If nothing that was tried keeps the recall, or a setting is out of its bounds.
        WorkspaceError: If there is no index, or it is of other products or of another model.
    """
    if not 0 < config.ann_recall <= 1 or min(config.trials, config.max_queries, config.k) < 1:
        raise UsageError(
            "The recall must lie above 0 and up to 1, and trials, queries and k be at least 1",
            received=asdict(config),
            remedy="Leave them out.",
        )
    check_current(workspace)
    recipe = _recipe_of_index(workspace)
    inputs = {name: workspace.manifest(name).content for name in ("products", "model")}
    boost = stored_boost(workspace)
    if boost is not None:
        inputs[BOOST] = workspace.manifest(BOOST).files[BOOST_VALUES]
    settings = {**asdict(config), "encode": config_to_dict(recipe.encode)}

    def build(folder: Path) -> dict[str, Any]:
        return _tune(workspace, recipe, config, boost=boost, folder=folder)

    result = workspace.run_step(TUNING, build, inputs=inputs, config=settings, seed=config.seed)
    chosen = Point(**result.manifest.summary["chosen"]).config(recipe.index)
    build_indexes(workspace, replace(recipe, index=chosen))
    apply_boost(workspace)
    return result


def _recipe_of_index(workspace: Workspace) -> Recipe:
    manifest = workspace.manifest("index")
    return config_from_dict(Recipe, {**manifest.config, "seed": manifest.seed})


def _tune(
    workspace: Workspace, recipe: Recipe, config: TuneConfig, *, boost: np.ndarray | None, folder: Path
) -> dict[str, Any]:
    products, model = read_products(workspace), load_model(workspace)
    vectors, _ = encode_catalogue(workspace, model, products, recipe.encode)
    asked = _validation(workspace, config)
    queries = load_encoder(workspace, model, products).encode(asked)
    if boost is not None:
        vectors, queries = with_boost(vectors, boost), boosted_queries(queries)
    points = _points(vectors, queries, recipe.index, config)
    chosen = choose_point(points, least_recall=config.ann_recall)
    front = pareto_front(points)
    exact = queries_per_second(ExactIndex.build(vectors), queries, k=config.k)
    summary = {
        "chosen": chosen.as_dict(),
        "settings": [f"index.kind={chosen.kind}", *_overrides(chosen)],
        "asked": config.ann_recall,
        "k": config.k,
        "queries": len(queries),
        "products": len(vectors),
        "tried": len(points),
        "exact_queries_s": exact,
        "boosted": boost is not None,
        "front": [point.as_dict() for point in front],
    }
    told = {**summary, "points": [point.as_dict() for point in points]}
    (folder / "tuning.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    (folder / "pareto.html").write_text(_page(points, front, chosen, summary), encoding="utf-8")
    return summary


def _points(
    vectors: Float32[np.ndarray, "products dim"],
    queries: Float32[np.ndarray, "queries dim"],
    base: IndexConfig,
    config: TuneConfig,
) -> list[Point]:
    with progress_bar("Building indexes", total=config.trials, unit="indexes") as advance:
        return try_settings(
            vectors,
            queries,
            base=base,
            least_recall=config.ann_recall,
            trials=config.trials,
            k=config.k,
            seed=config.seed,
            advance=advance,
        )


def _validation(workspace: Workspace, config: TuneConfig) -> QueryBatch:
    """Return searches of the validation window with all that is known of them, else judged or trained queries."""
    judged = validation_queries(workspace)
    if judged is None and workspace.has("mined"):
        searches = logged_searches(
            workspace,
            labels="log",
            split="validation",
            max_searches=config.max_queries,
            seed=config.seed,
            stage=Stage.CLICKED,
        )
        return QueryBatch(searches.texts, searches.locations, searches.past)
    return QueryBatch(sample_queries(TrainingData.read(workspace.verified("features")), judged))


def _overrides(point: Point) -> list[str]:
    section = IndexConfig.section(point.kind)
    return [f"index.{section}.{name}={value}" for name, value in point.settings.items()]


def _page(points: list[Point], front: list[Point], chosen: Point, summary: Mapping[str, Any]) -> str:
    def dots(chosen_points: list[Point]) -> tuple[tuple[float, float], ...]:
        return tuple((one.queries_s, max(1 - one.ann_recall, _LEAST_MISSED)) for one in chosen_points)

    others = [point for point in points if point not in front]
    series = [
        Series("Pareto front", dots(front), is_joined=False),
        Series("other settings", dots(others), is_joined=False),
        Series("chosen", dots([chosen]), is_joined=False),
    ]
    drawn = line_chart(
        [one for one in series if one.points],
        x_label=f"queries a second, one thread, k = {summary['k']}",
        y_label="share of the exact result that is missed (1 − ann_recall)",
        is_log=True,
    )
    caption = (
        f"{summary['tried']} settings on {summary['queries']:,} validation queries and {summary['products']:,} "
        f"products. Right and low is better; at least {summary['asked']:.1%} is asked for, exact search answers "
        f"{summary['exact_queries_s']:,.0f} queries a second. The front also counts memory."
    )
    rows = "\n".join(_row(point, is_chosen=point == chosen) for point in front)
    head = "".join(f"<th>{name}</th>" for name in ("settings", "queries/s", "ann_recall", "bytes per product"))
    body = (
        f"<h1>Index</h1>\n<p>Chosen: {escape(', '.join(summary['settings']))}</p>\n"
        f'<div class="charts">{figure("Speed and recall", drawn, caption)}</div>\n<h2>Pareto front</h2>\n'
        f"<table><tr>{head}</tr>\n{rows}\n</table>"
    )
    return html_page("Index tuning", body)


def _row(point: Point, *, is_chosen: bool) -> str:
    told = ", ".join(f"{name} {value}" for name, value in point.settings.items())
    name = f"{point.kind}: {told}" + (" (chosen)" if is_chosen else "")
    numbers = (f"{point.queries_s:,.0f}", f"{point.ann_recall:.4f}", f"{point.bytes_per_product:,.0f}")
    return f"<tr><td>{escape(name)}</td>" + "".join(f'<td class="number">{one}</td>' for one in numbers) + "</tr>"
