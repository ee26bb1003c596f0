"""The queries on which two systems differ most, with what the worse one missed and showed instead."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.evaluation.places import NOT_FOUND, places_of
from aisle.measures import Qrels

__all__ = ["Change", "biggest_changes"]

_NUM_INSTEAD = 3


@dataclass(frozen=True)
class Change:
    """A query on which one system is much better.

    Attributes:
        query: Row of the query.
        difference: Second system minus first.
        product_index: Relevant product that gained or lost most.
        first_place: Its place in the first system's ranking, from 1; None where it is not there.
        second_place: Its place in the second's.
        instead: First products of the worse ranking that are not relevant.
    """

    query: int
    difference: float
    product_index: int
    first_place: int | None
    second_place: int | None
    instead: tuple[int, ...]


def biggest_changes(
    first: Ranking,
    second: Ranking,
    qrels: Qrels,
    *,
    difference: Float64[np.ndarray, " queries"],
    min_grade: float,
    num_changes: int,
) -> tuple[list[Change], list[Change]]:
    """Return the queries that the second system answers better and those that it answers worse, the largest first.

    Args:
        first: Results of one system.
        second: Results of the other.
        qrels: What is to be found.
        difference: Second minus first by some measure; NaN for a query that does not count.
        min_grade: Least grade of a relevant product.
        num_changes: Most queries of either kind; of equal differences the earlier ones.

    Returns:
        Wins and losses of the second system.
    """
    judged = _Judged(qrels, qrels.grade >= min_grade, places_of(first, qrels), places_of(second, qrels))
    known = np.nan_to_num(difference, nan=0.0)
    order = np.argsort(-np.abs(known), kind="stable")
    found = []
    for is_win in (True, False):
        rows = order[(known[order] > 0) if is_win else (known[order] < 0)][:num_changes]
        worse = first if is_win else second
        found.append([_change(int(row), float(known[row]), worse, judged=judged) for row in rows])
    wins, losses = found
    return wins, losses


@dataclass(frozen=True)
class _Judged:
    qrels: Qrels
    is_relevant: Bool[np.ndarray, " judgments"]
    first_place: Int64[np.ndarray, " judgments"]
    second_place: Int64[np.ndarray, " judgments"]


def _change(row: int, difference: float, worse: Ranking, *, judged: _Judged) -> Change:
    of_query = slice(int(judged.qrels.offsets[row]), int(judged.qrels.offsets[row + 1]))
    is_relevant = judged.is_relevant[of_query]
    products = judged.qrels.product_index[of_query][is_relevant]
    first, second = (side[of_query][is_relevant] for side in (judged.first_place, judged.second_place))
    # By reciprocal places: from 1 to 20 is more than from 200 to 900.
    gained = (1.0 / second - 1.0 / first) * np.sign(difference)
    best = int(np.argmax(gained))
    shown = worse.product_index[row]
    others = shown[(shown != NO_PRODUCT) & ~np.isin(shown, products)][:_NUM_INSTEAD]
    return Change(
        query=row,
        difference=difference,
        product_index=int(products[best]),
        first_place=_place(first[best]),
        second_place=_place(second[best]),
        instead=tuple(others.tolist()),
    )


def _place(place: int) -> int | None:
    return None if place == NOT_FOUND else int(place)
