"""Measuring the systems on judgments or on searches of the log; the only step that reads test rows."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.errors import UsageError
from aisle.core.ids import IdMap
from aisle.core.ranking import Ranking
from aisle.core.text import normalise_texts
from aisle.evaluation import (
    Evaluation,
    JudgedQueries,
    OnSale,
    evaluate_rankings,
    evaluate_searches,
    retrieve_all,
    slices_by_label,
    write_qrels,
    write_queries,
    write_run,
)
from aisle.measures import Qrels
from aisle.pipelines.catalogue import read_judgments, read_products
from aisle.pipelines.logged_searches import logged_searches
from aisle.pipelines.mining import load_mined
from aisle.pipelines.quality_dates import check_quality_dates
from aisle.pipelines.search_slices import chosen_slices
from aisle.pipelines.searching import SYSTEMS, load_retrievers
from aisle.tables import SPLITS
from aisle.workspace import Workspace

__all__ = ["MAX_SEARCHES", "EvaluationOutcome", "Labels", "evaluate_systems"]

_DEPTH = 1000
_KIND = "kind"


Labels = Literal["judgments", "log", "truth"]
"""What is to be found: judged products, the orders of the log's searches, or a simulated marketplace's truth."""

MAX_SEARCHES = 10_000
"""Searches of a log that are measured where nobody says otherwise, drawn evenly."""


@dataclass(frozen=True)
class EvaluationOutcome:
    """What was measured, and what was written.

    Attributes:
        labels: What was to be found.
        labelled: The same in words.
        evaluation: Measures of all systems.
        num_unknown: Judged products that the catalogue lacks; they count as missed.
        hybrid: Settings of the hybrid, and where its weight comes from.
        files: Files in TREC's formats that were written.
        exposures: What part of the log's impressions, clicks and orders each part of the logging policy showed, where
            the log says it: logged orders favour whatever was shown.
        shown_by: What part of the measured orders each part of the logging policy had shown.
        trusted_quality: Quality values in the index that are undated, or younger than the searches, if any.
    """

    labels: Labels
    labelled: str
    evaluation: Evaluation
    num_unknown: int
    hybrid: dict[str, object]
    files: list[str]
    exposures: dict[str, Any] | None = None
    shown_by: dict[str, float] | None = None
    trusted_quality: dict[str, Any] | None = None

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        extra = {
            "labels": self.labels,
            "labelled": self.labelled,
            "judged_products_not_in_catalogue": self.num_unknown,
            "hybrid": self.hybrid,
            "files": self.files,
            "exposures": self.exposures,
            "shown_by": self.shown_by,
            "trusted_quality": self.trusted_quality,
        }
        return {**self.evaluation.as_dict(), **extra}


def evaluate_systems(
    workspace: Workspace,
    *,
    split: str = "test",
    systems: Sequence[str] = SYSTEMS,
    labels: Labels | None = None,
    min_grade: float = 1.0,
    max_searches: int = MAX_SEARCHES,
    slices: Sequence[str] | None = None,
    run: Path | None = None,
    trust_quality: bool = False,
    seed: int = 0,
) -> EvaluationOutcome:
    """Measure systems over the whole catalogue on the queries of a split.

    Args:
        workspace: Where judgments were imported, or a log mined, and systems indexed.
        split: Rows of the judgments, or window of the log.
        systems: Names, in any order.
        labels: What is to be found; None for the log where one was mined, else judgments.
        min_grade: Least grade of a relevant product for recall and MRR, in the judgments' own units.
        max_searches: Most searches of a log.
        slices: Groups of slices of a log, of `SLICE_GROUPS`; None: all. Judged queries have none but their kinds.
        run: Where to write runs in TREC's format, one file per system, with qrels and queries beside them.
        trust_quality: Whether searches may be measured on quality values that are undated, or younger than they.
        seed: Seed of bootstrap, permutations and the draw of searches.

    Raises:
        UsageError: If a slice is unknown, the index knows quality values of after the searches, the split has nothing
            to measure, or no query has a relevant product.
    """
    if split not in SPLITS:
        raise UsageError(
            f"The split must be one of {', '.join(SPLITS)}", received={"split": split}, remedy="Leave it out for test."
        )
    chosen = labels or ("log" if workspace.has("mined") else "judgments")
    if chosen == "judgments":
        _check_no_slices(slices)
        return _on_judgments(workspace, split=split, systems=systems, min_grade=min_grade, run=run, seed=seed)
    wanted = chosen_slices(slices)
    trusted = None
    if "semantic" in systems or "hybrid" in systems:
        trusted = check_quality_dates(workspace, load_mined(workspace).windows, split=split, trust=trust_quality)
    searches = logged_searches(workspace, labels=chosen, split=split, max_searches=max_searches, seed=seed)
    searches = replace(searches, slices={name: mask for name, mask in searches.slices.items() if name in wanted})
    products = read_products(workspace)
    retrievers = load_retrievers(workspace, systems)
    evaluation, rankings = evaluate_searches(retrievers, searches, OnSale.of_products(products), k=_DEPTH, seed=seed)
    evaluation = replace(evaluation, slices={name: part for name, part in evaluation.slices.items() if name in wanted})
    ids = IdMap(products.column("product_id"))
    written = _Written(list(searches.texts), searches.wanted, ids)
    files = _write_trec(run, rankings, written) if run is not None else []
    exposures = workspace.manifest("mined").summary.get("exposures") if chosen == "log" else None
    shown_by = dict(searches.shown_by) if searches.shown_by is not None else None
    told = {"exposures": exposures, "shown_by": shown_by, "trusted_quality": trusted}
    return EvaluationOutcome(chosen, searches.labelled, evaluation, 0, _hybrid(workspace), files, **told)


def _check_no_slices(slices: Sequence[str] | None) -> None:
    if slices:
        raise UsageError(
            "Only searches of a log have slices to choose",
            received={"slices": list(slices), "labels": "judgments"},
            remedy="Leave --slices out, or measure on --labels log or truth.",
        )


def _on_judgments(
    workspace: Workspace, *, split: str, systems: Sequence[str], min_grade: float, run: Path | None, seed: int
) -> EvaluationOutcome:
    judgments = read_judgments(workspace, split)
    if judgments is None:
        raise UsageError(
            "The workspace must hold judgments of the split",
            received={
                "split": split,
                "holds": [name for name in SPLITS if read_judgments(workspace, name) is not None],
            },
            remedy="Import judgments with `aisle import --judgments FILE`, or name another --split.",
        )
    catalogue = IdMap(read_products(workspace).column("product_id"))
    judged = JudgedQueries.from_judgments(judgments, catalogue, split=None)
    _check_relevant(judged, min_grade)
    retrievers = load_retrievers(workspace, systems)
    rankings = {name: retrieve_all(one, judged.texts, k=_DEPTH) for name, one in retrievers.items()}
    slices = slices_by_label(_first_labels(judgments, judged)) if _has_kinds(judgments) else None
    evaluation = evaluate_rankings(rankings, judged.qrels, min_grade=min_grade, seed=seed, slices=slices)
    written = _Written(judged.texts, judged.qrels, judged.ids)
    files = _write_trec(run, rankings, written) if run is not None else []
    told = f"a product of grade ≥ {min_grade:g}"
    return EvaluationOutcome("judgments", told, evaluation, judged.num_unknown, _hybrid(workspace), files)


def _hybrid(workspace: Workspace) -> dict[str, object]:
    settings: dict[str, object] = json.loads((workspace.folder("index") / "hybrid.json").read_text(encoding="utf-8"))
    return settings


def _check_relevant(judged: JudgedQueries, min_grade: float) -> None:
    """Refuse a grade that no query reaches before minutes are spent on retrieval."""
    if not judged.qrels.has_relevant(min_grade).any():
        raise UsageError(
            "At least one query must have a product of grade --min-grade or above",
            received={"min_grade": min_grade, "highest_grade": float(judged.qrels.grade.max(initial=0))},
            remedy="Lower --min-grade (it is in the judgments' own units).",
        )


def _has_kinds(judgments: pa.Table) -> bool:
    """Tell whether queries are labelled by kind, as the generated ones are: by a text."""
    return _KIND in judgments.column_names and pa.types.is_string(judgments.schema.field(_KIND).type)


def _first_labels(judgments: pa.Table, judged: JudgedQueries) -> list[str]:
    """Return the kind of every judged query; one that has several takes the first."""
    keys, kinds = normalise_texts(judgments.column("query").combine_chunks()), judgments.column(_KIND).combine_chunks()
    place = pc.index_in(normalise_texts(pa.array(judged.texts, pa.string())), value_set=keys)
    return list(pc.fill_null(kinds.take(place), "other").to_pylist())


@dataclass(frozen=True)
class _Written:
    """What TREC files tell beside the rankings."""

    texts: list[str]
    qrels: Qrels
    ids: IdMap


def _write_trec(run: Path, rankings: dict[str, Ranking], written: _Written) -> list[str]:
    """Write runs, qrels and queries; the last system's run takes the name that was asked for."""
    *others, main = rankings
    paths = {main: run, **{name: run.with_name(f"{run.stem}.{name}{run.suffix}") for name in others}}
    for name, path in paths.items():
        write_run(path, rankings[name], ids=written.ids, tag=name)
    qrels, queries = run.with_suffix(".qrels"), run.with_suffix(".queries.tsv")
    write_qrels(qrels, written.qrels, ids=written.ids)
    write_queries(queries, written.texts)
    return [str(path) for path in (*paths.values(), qrels, queries)]
