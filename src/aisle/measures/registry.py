"""Measures by the names that people write, which are those of ir-measures: "R@10", "nDCG@10", "P@5", "MRR"."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from aisle.core.errors import UsageError
from aisle.measures.average_precision import average_precision
from aisle.measures.ndcg import ndcg
from aisle.measures.precision import precision, success
from aisle.measures.qrels import Qrels
from aisle.measures.recall import recall
from aisle.measures.reciprocal_rank import reciprocal_rank

__all__ = ["KNOWN_MEASURES", "Measure", "parse_measure"]

_Compute = Callable[[Float64[np.ndarray, "queries places"], Qrels, int, float], Float64[np.ndarray, " queries"]]

_COMPUTE: dict[str, _Compute] = {
    "R": lambda grades, qrels, k, min_grade: recall(grades, qrels, k=k, min_grade=min_grade),
    "nDCG": lambda grades, qrels, k, _: ndcg(grades, qrels, k=k),
    "MRR": lambda grades, qrels, k, min_grade: reciprocal_rank(grades, qrels, k=k, min_grade=min_grade),
    "P": lambda grades, qrels, k, min_grade: precision(grades, qrels, k=k, min_grade=min_grade),
    "AP": lambda grades, qrels, k, min_grade: average_precision(grades, qrels, k=k, min_grade=min_grade),
    "Success": lambda grades, qrels, k, min_grade: success(grades, qrels, k=k, min_grade=min_grade),
}
_ALIASES = {"rr": "MRR", "map": "AP"}
_NEEDS_NO_K = ("MRR", "AP")
KNOWN_MEASURES = "R@k, nDCG@k, P@k, Success@k, MRR, MRR@k, AP, AP@k"
"""All measures, as they are written."""
_NAME = re.compile(r"(?P<family>[A-Za-z]+)(?:@(?P<k>[1-9][0-9]{0,8}))?")


@dataclass(frozen=True)
class Measure:
    """A measure with its cut-off, made by `parse_measure`.

    Attributes:
        family: "R", "nDCG", "P", "Success", "MRR" or "AP".
        k: Places looked at; None for the whole ranking.
    """

    family: str
    k: int | None

    @property
    def name(self) -> str:
        """Canonical name, such as "nDCG@10"."""
        return self.family if self.k is None else f"{self.family}@{self.k}"

    def per_query(
        self,
        grades: Float64[np.ndarray, "queries places"],
        qrels: Qrels,
        *,
        min_grade: float,
        is_whole: bool = False,
    ) -> Float64[np.ndarray, " queries"]:
        """Return the measure of every query, NaN where it is not defined (the measure's own function tells).

        Args:
            grades: Grade at every place, NaN where unjudged (`grades_of`).
            qrels: The judgments.
            min_grade: Least grade of a relevant product.
            is_whole: Whether the ranking goes as deep as the catalogue: k may then be larger, and further places are
                empty.

        Raises:
            ShapeError: If the ranking is too short for k and not whole.
        """
        num_places = grades.shape[1]
        k = num_places if self.k is None else self.k
        if not is_whole or k <= num_places:
            return _COMPUTE[self.family](grades, qrels, k, min_grade)
        # Empty places change nothing beyond the last judgment but the k that precision is divided by.
        deepest = min(k, max(num_places, int(np.diff(qrels.offsets).max(initial=0))))
        padded = np.pad(grades, [(0, 0), (0, deepest - num_places)], constant_values=np.nan)
        values = _COMPUTE[self.family](padded, qrels, deepest, min_grade)
        return values * (deepest / k) if self.family == "P" else values


def parse_measure(name: str) -> Measure:
    """Read a measure's name; upper and lower case are the same, RR is MRR and MAP is AP.

    >>> parse_measure("ndcg@10").name
    'nDCG@10'

    Raises:
        UsageError: If the name is not known, or lacks a cut-off that it needs.
    """
    match = _NAME.fullmatch(name.strip())
    families = {**{family.lower(): family for family in _COMPUTE}, **_ALIASES}
    family = families.get(match["family"].lower()) if match else None
    if match is None or family is None or (match["k"] is None and family not in _NEEDS_NO_K):
        raise UsageError(
            f"A measure must be one of {KNOWN_MEASURES}",
            received={"measure": name},
            remedy="k is a whole number from 1, as in R@100; the least relevant grade is given apart (min_grade).",
        )
    return Measure(family, int(match["k"]) if match["k"] else None)
