"""What a boost does to the searches of the test window, by slice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from aisle.boosting import MEASURES
from aisle.core.ranking import Ranking
from aisle.evaluation import EvaluatedSearches, PairedTest, paired_test
from aisle.measures import grades_of, parse_measure
from aisle.pipelines.logged_searches import SearchLabels, logged_searches
from aisle.workspace import Workspace

__all__ = ["ALL", "boost_gains", "gain_values"]

ALL = "all"
"""Name of all searches together among the slices."""

_ANY_GRADE = float(np.finfo(np.float64).tiny)


def boost_gains(
    workspace: Workspace,
    rank: Callable[[EvaluatedSearches], Mapping[str, tuple[Ranking, Ranking]]],
    *,
    max_searches: int,
    seed: int,
) -> dict[str, Any]:
    """Measure systems without and with a boost on the test window: on its orders, and on a marketplace's truth.

    Args:
        workspace: Where a log was mined.
        rank: Answers searches by every system, without a boost and with it; of any depth that the measures need.
        max_searches: Most searches of each kind, drawn evenly.
        seed: Seed of the draw and of the resamples.

    Returns:
        What is to be found (`log`, `truth`) → its words, and system → slice → measure → values.
    """
    kinds: tuple[SearchLabels, ...] = ("log", "truth") if workspace.has("truth") else ("log",)
    told: dict[str, Any] = {}
    for labels in kinds:
        searches = logged_searches(workspace, labels=labels, split="test", max_searches=max_searches, seed=seed)
        systems = {name: _gains(pair, searches, seed=seed) for name, pair in rank(searches).items()}
        told[labels] = {"labelled": searches.labelled, "systems": systems}
    return told


def _gains(pair: tuple[Ranking, Ranking], searches: EvaluatedSearches, *, seed: int) -> dict[str, Any]:
    before, after = (_values(ranking, searches) for ranking in pair)
    counted = searches.wanted.has_relevant(_ANY_GRADE)
    slices = {ALL: np.ones(len(searches), np.bool_), **searches.slices}
    return {
        name: _slice(before, after, counted & mask, seed=seed)
        for name, mask in slices.items()
        if (counted & mask).any()
    }


def _values(ranking: Ranking, searches: EvaluatedSearches) -> Float64[np.ndarray, "searches measures"]:
    grades = grades_of(ranking, searches.wanted)
    measures = map(parse_measure, MEASURES)
    return np.column_stack([one.per_query(grades, searches.wanted, min_grade=_ANY_GRADE) for one in measures])


def _slice(
    before: Float64[np.ndarray, "searches measures"],
    after: Float64[np.ndarray, "searches measures"],
    chosen: Bool[np.ndarray, " searches"],
    *,
    seed: int,
) -> dict[str, Any]:
    test = paired_test(after[chosen], before[chosen], seed=seed)
    levels = (before[chosen].mean(axis=0), after[chosen].mean(axis=0))
    return {
        "searches": int(chosen.sum()),
        **{
            name: {
                "without": float(levels[0][column]),
                "with": float(levels[1][column]),
                **gain_values(test, column),
            }
            for column, name in enumerate(MEASURES)
        },
    }


def gain_values(test: PairedTest, column: int) -> dict[str, float | None]:
    """Return one column of a paired test as plain values, null where an interval is not defined."""
    values = {
        "gain": test.difference[column],
        "low": test.low[column],
        "high": test.high[column],
        "p": test.p[column],
    }
    return {name: float(value) if np.isfinite(value) else None for name, value in values.items()}
