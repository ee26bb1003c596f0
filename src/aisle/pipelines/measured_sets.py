"""Everything of a workspace that systems can be measured on, search by search: truth, logged orders, judgments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from aisle.core.errors import UsageError
from aisle.core.ranking import Retriever
from aisle.evaluation import DEFAULT_MEASURES
from aisle.measures import grades_of, parse_measure
from aisle.pipelines.catalogue import read_judgments
from aisle.pipelines.questions import DEPTH, Asked, Labels, Questions, read_questions
from aisle.workspace import Workspace

__all__ = ["MeasuredOn", "available_labels", "measured_sets", "values_per_query"]

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


def measured_sets(workspace: Workspace, measured_on: MeasuredOn) -> dict[Labels, Questions]:
    """Read the searches of a log, or judged queries, of the test split, by their labels.

    Args:
        workspace: Where they are.
        measured_on: Which of `available_labels`.

    Raises:
        UsageError: If nothing is to be found.
    """
    asked = Asked(_SPLIT, min_grade=measured_on.min_grade, max_searches=measured_on.max_searches)
    return {labels: read_questions(workspace, replace(asked, labels=labels)) for labels in measured_on.labels}


def values_per_query(
    questions: Questions, retriever: Retriever, measures: Sequence[str] = DEFAULT_MEASURES
) -> dict[str, np.ndarray]:
    """Return measure → value of every query, NaN where nothing is to be found; those that `evaluate` averages."""
    ranking = questions.rank({retriever.name: retriever}, k=DEPTH)[retriever.name]
    grades, wanted = grades_of(ranking, questions.wanted), questions.wanted
    parsed = {name: parse_measure(name) for name in measures}
    found = {name: one.per_query(grades, wanted, min_grade=questions.min_grade) for name, one in parsed.items()}
    # As in an evaluation: nDCG is defined for more queries than the others, one table speaks of one set of them.
    return {name: np.where(questions.is_counted, column, np.nan) for name, column in found.items()}
