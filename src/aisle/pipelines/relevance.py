"""Relevance beside sales: how the systems that are measured on orders do where somebody graded relevance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aisle.core.ids import IdMap
from aisle.core.ranking import Retriever
from aisle.evaluation import JudgedQueries, Summary, evaluate_rankings, retrieve_all
from aisle.pipelines.catalogue import read_judgments, read_products
from aisle.pipelines.questions import DEPTH
from aisle.workspace import Workspace

__all__ = ["RELEVANCE_MEASURE", "Relevance", "measure_relevance"]

RELEVANCE_MEASURE = "nDCG@10"
_ANY_GRADE = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class Relevance:
    """How relevant the answers are, on a set of queries of its own.

    Attributes:
        graded_by: In words, who graded.
        summary: Means of `RELEVANCE_MEASURE` and paired differences over the judged queries.
    """

    graded_by: str
    summary: Summary

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"measure": RELEVANCE_MEASURE, "graded_by": self.graded_by, **self.summary.as_dict()}


def measure_relevance(
    workspace: Workspace, retrievers: Mapping[str, Retriever], *, split: str, seed: int
) -> Relevance | None:
    """Measure systems on the judgments of a split; None where it has none with a grade above 0.

    A system can sell more by showing what sells instead of what was asked for. Orders alone do not tell.

    Args:
        workspace: Where judgments may have been imported.
        retrievers: System → retriever.
        split: Rows of the judgments.
        seed: Seed of resamples and permutations.
    """
    judgments = read_judgments(workspace, split)
    if judgments is None:
        return None
    judged = JudgedQueries.from_judgments(judgments, IdMap(read_products(workspace).column("product_id")), split=None)
    if not judged.qrels.has_relevant(_ANY_GRADE).any():
        return None
    rankings = {name: retrieve_all(one, judged.texts, k=DEPTH) for name, one in retrievers.items()}
    found = evaluate_rankings(rankings, judged.qrels, measures=[RELEVANCE_MEASURE], min_grade=_ANY_GRADE, seed=seed)
    return Relevance(f"judgments of {split}", found.headline)
