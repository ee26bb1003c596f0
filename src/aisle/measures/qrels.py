"""Which products are how relevant to which query, as three flat arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ragged import offsets_of

__all__ = ["Qrels", "check_min_grade"]


def check_min_grade(min_grade: float) -> None:
    """Refuse a threshold that would call products of grade 0 relevant.

    Raises:
        UsageError: If `min_grade` is not a finite number above 0.
    """
    if not (np.isfinite(min_grade) and min_grade > 0):
        raise UsageError(
            "min_grade must be a number above 0: grade 0 means not relevant",
            received={"min_grade": min_grade},
            remedy="Give it in the judgments' own units, such as 1.",
        )


@dataclass(frozen=True, eq=False)
class Qrels:
    """Judgments in compressed rows: those of query i lie at `offsets[i]:offsets[i + 1]`.

    >>> qrels = Qrels.from_triples(
    ...     query_index=np.array([1, 0, 1]),
    ...     product_index=np.array([7, 7, 2]),
    ...     grade=np.array([1.0, 3.0, 0.0]),
    ...     num_queries=2,
    ... )
    >>> qrels.product_index.tolist(), qrels.num_relevant(1.0).tolist()
    ([7, 2, 7], [1, 1])

    Attributes:
        offsets: Begin of every query's judgments, and the end of the last.
        product_index: Judged products, ascending and distinct within a query.
        grade: Finite, in the judges' own units; larger is better, 0 and below is not relevant.
    """

    offsets: Int64[np.ndarray, " offsets"]
    product_index: Int64[np.ndarray, " judgments"]
    grade: Float64[np.ndarray, " judgments"]

    def __post_init__(self) -> None:
        shapes = {name: np.shape(getattr(self, name)) for name in ("offsets", "product_index", "grade")}
        if len(shapes["offsets"]) != 1 or len(shapes["grade"]) != 1 or shapes["grade"] != shapes["product_index"]:
            raise ShapeError("product_index and grade must hold one entry per judgment", received={**shapes})
        num_judgments = len(self.grade)
        if not len(self.offsets) or self.offsets[0] != 0 or self.offsets[-1] != num_judgments:
            raise ShapeError("offsets must run from 0 to the number of judgments", received={**shapes})
        if np.any(np.diff(self.offsets) < 0):
            raise ShapeError("offsets must not decrease", received={"offsets": self.offsets.tolist()[:10]})
        if not np.isfinite(self.grade).all():
            raise ShapeError(
                "Grades must be finite numbers",
                received={"not_finite": int((~np.isfinite(self.grade)).sum())},
            )
        same_query = np.diff(self.query_index) == 0
        if np.any(np.diff(self.product_index)[same_query] <= 0):
            raise ShapeError(
                "Products must be ascending and distinct within a query",
                remedy="Build with Qrels.from_triples.",
            )

    @classmethod
    def from_triples(
        cls,
        *,
        query_index: Int64[np.ndarray, " triples"],
        product_index: Int64[np.ndarray, " triples"],
        grade: Float64[np.ndarray, " triples"],
        num_queries: int,
    ) -> Qrels:
        """Build from (query, product, grade) in any order; of several grades for one pair the largest holds.

        Raises:
            ShapeError: If the arrays differ in length, an index is out of range or a grade is not finite.
        """
        lengths = {"query_index": len(query_index), "product_index": len(product_index), "grade": len(grade)}
        if len(set(lengths.values())) != 1:
            raise ShapeError("The three arrays must be equally long", received={**lengths})
        if len(query_index) and (query_index.min() < 0 or query_index.max() >= num_queries):
            raise ShapeError(
                f"query_index must lie in 0..{num_queries - 1}",
                received={"least": int(query_index.min()), "most": int(query_index.max())},
            )
        if len(product_index) and product_index.min() < 0:
            raise ShapeError("product_index must not be negative", received={"least": int(product_index.min())})
        order = np.lexsort((-grade, product_index, query_index))
        query, product = query_index[order].astype(np.int64), product_index[order].astype(np.int64)
        is_first = np.ones(len(order), dtype=bool)
        is_first[1:] = (np.diff(query) != 0) | (np.diff(product) != 0)
        offsets = offsets_of(query[is_first], num_queries)
        return cls(offsets, product[is_first], grade[order][is_first].astype(np.float64))

    @property
    def num_queries(self) -> int:
        """Number of queries, with or without judgments."""
        return len(self.offsets) - 1

    @property
    def query_index(self) -> Int64[np.ndarray, " judgments"]:
        """Query of every judgment."""
        return np.repeat(np.arange(self.num_queries, dtype=np.int64), np.diff(self.offsets))

    def num_relevant(self, min_grade: float) -> Int64[np.ndarray, " queries"]:
        """Count the products of each query with a grade of at least `min_grade`.

        Raises:
            UsageError: If `min_grade` is not above 0.
        """
        check_min_grade(min_grade)
        return np.bincount(self.query_index[self.grade >= min_grade], minlength=self.num_queries).astype(np.int64)

    def has_relevant(self, min_grade: float) -> Bool[np.ndarray, " queries"]:
        """Mark the queries with a product of at least `min_grade`: the ones that averages are taken over."""
        return self.num_relevant(min_grade) > 0
