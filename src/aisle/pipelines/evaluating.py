"""Measuring the systems on judgments or on searches of the log; the only step that reads test rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aisle.core.errors import UsageError
from aisle.core.ranking import Ranking, Retriever
from aisle.evaluation import (
    DEFAULT_MEASURES,
    Evaluation,
    depth_of,
    write_qrels,
    write_queries,
    write_run,
)
from aisle.pipelines.debiasing import Debiased, DebiasingConfig, measure_debiased
from aisle.pipelines.quality_dates import check_quality_dates
from aisle.pipelines.questions import DEPTH, MAX_SEARCHES, Asked, Labels, Questions, read_questions
from aisle.pipelines.relevance import Relevance, measure_relevance
from aisle.pipelines.run_data import write_run_data
from aisle.pipelines.searching import SYSTEMS, load_retrievers
from aisle.workspace import Workspace

__all__ = ["MAX_SEARCHES", "EvaluationOutcome", "Labels", "evaluate_systems"]


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
        relevance: How relevant the same systems' answers are to whoever judged, where what is to be found is orders.
        debiased: Recall freed of what the logging search preferred, where it was asked for.
        is_simulated: Whether the log comes from a simulated marketplace.
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
    relevance: Relevance | None = None
    debiased: Debiased | None = None
    is_simulated: bool = False

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
            "relevance": self.relevance.as_dict() if self.relevance is not None else None,
            "debiased": self.debiased.as_dict() if self.debiased is not None else None,
            "simulated": self.is_simulated,
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
    measures: Sequence[str] = DEFAULT_MEASURES,
    debiasing: DebiasingConfig | None = None,
) -> EvaluationOutcome:
    """Measure systems over the whole catalogue on the queries of a split.

    Args:
        workspace: Where judgments were imported, or a log mined, and systems indexed.
        split: Rows of the judgments, or window of the log.
        systems: Names, in any order.
        labels: What is to be found; None for the log where one was mined, else judgments.
        min_grade: Least grade of a relevant product for all measures but nDCG, in the judgments' own units.
        max_searches: Most searches of a log.
        slices: Groups of slices; see `Asked`. Those of a log that are named are told even where they are empty.
        run: Where to write runs in TREC's format, one file per system, with qrels and queries beside them.
        trust_quality: Whether searches may be measured on quality values that are undated, or younger than they.
        seed: Seed of bootstrap, permutations and the draw of searches.
        measures: Names such as "R@100"; a k beyond the catalogue is that of a ranking with empty places.
        debiasing: How to measure debiased recall beside the rest, on the log; None: not at all.

    Raises:
        UsageError: If a measure or a slice is unknown, the split has nothing to measure, no query has a relevant
            product, the index knows quality values of after the searches, or debiased recall is refused (see
            `measure_debiased`).
    """
    depth_of(measures, least=DEPTH, num_products=0)  # an unknown name is refused before minutes are spent
    asked = Asked(split, labels, min_grade, max_searches, slices, seed)
    questions = read_questions(workspace, asked)
    _check_debiasing(debiasing, questions.labels)
    trusted = check_quality_dates(workspace, systems, labels=questions.labels, split=split, trust=trust_quality)
    retrievers = load_retrievers(workspace, systems)
    debiased = None
    if debiasing is not None:
        debiased = measure_debiased(workspace, retrievers, asked=asked, measures=measures, config=debiasing)
    rankings = questions.rank(retrievers, k=depth_of(measures, least=DEPTH, num_products=questions.num_products))
    evaluation = questions.measure(rankings, measures=measures, seed=seed)
    files = _write_trec(run, rankings, questions) if run is not None else []
    return EvaluationOutcome(
        labels=questions.labels,
        labelled=questions.labelled,
        evaluation=evaluation,
        num_unknown=questions.num_unknown,
        hybrid=_hybrid(workspace),
        files=files,
        **_beside_searches(workspace, questions, retrievers, asked),
        trusted_quality=trusted,
        debiased=debiased,
    )


def _beside_searches(
    workspace: Workspace, questions: Questions, retrievers: Mapping[str, Retriever], asked: Asked
) -> dict[str, Any]:
    """Return what is told beside measures of searches: what was shown by whom, and how relevant the answers are."""
    if questions.searches is None:
        return {}
    shown_by = questions.searches.shown_by
    return {
        "exposures": workspace.manifest("mined").summary.get("exposures") if questions.labels == "log" else None,
        "shown_by": dict(shown_by) if shown_by is not None else None,
        "relevance": measure_relevance(workspace, retrievers, split=asked.split, seed=asked.seed),
        "is_simulated": workspace.has("truth"),
    }


def _check_debiasing(debiasing: DebiasingConfig | None, labels: Labels) -> None:
    if debiasing is not None and labels != "log":
        raise UsageError(
            "Only a log is debiased",
            received={"labels": labels},
            remedy="Leave --debiased out, or measure on --labels log.",
        )


def _hybrid(workspace: Workspace) -> dict[str, object]:
    settings: dict[str, object] = json.loads((workspace.folder("index") / "hybrid.json").read_text(encoding="utf-8"))
    return settings


def _write_trec(run: Path, rankings: Mapping[str, Ranking], questions: Questions) -> list[str]:
    """Write runs, qrels and queries; the last system's run takes the name that was asked for."""
    *others, main = rankings
    paths = {main: run, **{name: run.with_name(f"{run.stem}.{name}{run.suffix}") for name in others}}
    written = []
    for name, path in paths.items():
        write_run(path, rankings[name], ids=questions.ids, tag=name)
        written += [path, write_run_data(path, questions.data)]
    qrels, queries = run.with_suffix(".qrels"), run.with_suffix(".queries.tsv")
    write_qrels(qrels, questions.wanted, ids=questions.ids)
    write_queries(queries, list(questions.texts))
    return [str(path) for path in (*written, qrels, queries)]
