"""Everything of a workspace that systems can be measured on, search by search: truth, logged orders, judgments."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from aisle.core.errors import UsageError
from aisle.core.ids import IdMap
from aisle.core.ranking import Ranking, Retriever
from aisle.evaluation import (
    DEFAULT_MEASURES,
    EvaluatedSearches,
    JudgedQueries,
    OnSale,
    rank_searches,
    retrieve_all,
)
from aisle.measures import Qrels, grades_of, parse_measure
from aisle.pipelines.catalogue import read_judgments, read_products
from aisle.pipelines.evaluating import Labels
from aisle.pipelines.logged_searches import SearchLabels, logged_searches
from aisle.workspace import Workspace

__all__ = ["MeasuredOn", "MeasuredSet", "available_labels", "measured_sets"]

_DEPTH = 1000
"""Places retrieved, as `aisle evaluate` does."""

_SPLIT = "test"


@dataclass(frozen=True)
class MeasuredOn:
    """What is measured.

    Attributes:
        labels: What is to be found, that of the headline first.
        max_searches: Most searches of a log, drawn evenly and always the same.
        min_grade: Least grade of a relevant product, in the judgments' own units.
    """

    labels: tuple[Labels, ...]
    max_searches: int
    min_grade: float = 1.0


@dataclass(frozen=True, eq=False)
class MeasuredSet:
    """Searches or judged queries of the test split.

    Attributes:
        labels: What is to be found.
        labelled: The same in words.
        slices: Name → those that belong to it.
        qrels: What is to be found in each.
        min_grade: Least grade of what counts as found.
        rank: Answers all of them by a system.
    """

    labels: Labels
    labelled: str
    slices: Mapping[str, Bool[np.ndarray, " searches"]]
    qrels: Qrels
    min_grade: float
    rank: Callable[[Retriever], Ranking]

    def values(self, retriever: Retriever, measures: Sequence[str] = DEFAULT_MEASURES) -> dict[str, np.ndarray]:
        """Return measure → value of every search, NaN where nothing is to be found; those that `evaluate` averages."""
        grades = grades_of(self.rank(retriever), self.qrels)
        parsed = {name: parse_measure(name) for name in measures}
        found = {name: one.per_query(grades, self.qrels, min_grade=self.min_grade) for name, one in parsed.items()}
        # As in an evaluation: nDCG is defined for more queries than the others, one table speaks of one set of them.
        is_counted = self.qrels.has_relevant(self.min_grade)
        return {name: np.where(is_counted, column, np.nan) for name, column in found.items()}


def available_labels(workspace: Workspace) -> tuple[Labels, ...]:
    """Return what a workspace can be measured on, the most telling first.

    Raises:
        UsageError: If there is nothing.
    """
    is_there: dict[Labels, bool] = {
        "truth": workspace.has("truth") and workspace.has("mined"),
        "log": workspace.has("mined"),
        "judgments": read_judgments(workspace, _SPLIT) is not None,
    }
    found = tuple(name for name, there in is_there.items() if there)
    if not found:
        raise UsageError(
            "The workspace must have something to be measured on",
            received={"workspace": str(workspace.path), "holds": workspace.names()},
            remedy="Run `aisle mine`, or import judgments with `aisle import --judgments FILE`.",
        )
    return found


def measured_sets(workspace: Workspace, measured_on: MeasuredOn) -> dict[Labels, MeasuredSet]:
    """Read the searches of a log, or judged queries, of the test split, by their labels.

    Args:
        workspace: Where they are.
        measured_on: Which of `available_labels`.

    Raises:
        UsageError: If nothing is to be found.
    """
    return {
        labels: _judged(workspace, measured_on.min_grade)
        if labels == "judgments"
        else _searched(workspace, labels, max_searches=measured_on.max_searches)
        for labels in measured_on.labels
    }


def _searched(workspace: Workspace, labels: SearchLabels, *, max_searches: int) -> MeasuredSet:
    searches: EvaluatedSearches = logged_searches(
        workspace, labels=labels, split=_SPLIT, max_searches=max_searches, seed=0
    )
    on_sale = OnSale.of_products(read_products(workspace))
    least = float(np.finfo(np.float64).tiny)

    def rank(retriever: Retriever) -> Ranking:
        return rank_searches({retriever.name: retriever}, searches, on_sale, k=_DEPTH)[retriever.name]

    return MeasuredSet(labels, searches.labelled, searches.slices, searches.wanted, least, rank)


def _judged(workspace: Workspace, min_grade: float) -> MeasuredSet:
    judgments = read_judgments(workspace, _SPLIT)
    assert judgments is not None
    judged = JudgedQueries.from_judgments(judgments, IdMap(read_products(workspace).column("product_id")), split=None)
    if not judged.qrels.has_relevant(min_grade).any():
        raise UsageError(
            "At least one query must have a product of grade --min-grade or above",
            received={"min_grade": min_grade, "highest_grade": float(judged.qrels.grade.max(initial=0))},
            remedy="Lower --min-grade (it is in the judgments' own units).",
        )

    def rank(retriever: Retriever) -> Ranking:
        return retrieve_all(retriever, judged.texts, k=_DEPTH)

    return MeasuredSet("judgments", f"products of grade ≥ {min_grade:g}", {}, judged.qrels, min_grade, rank)
