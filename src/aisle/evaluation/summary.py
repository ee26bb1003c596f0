"""Means with intervals, paired differences and overlaps over one set of queries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Float64

from aisle.evaluation.bootstrap import bootstrap_intervals
from aisle.evaluation.paired import sign_flip_p

__all__ = ["Difference", "Estimate", "Summary", "Values", "summarise"]

Values = Mapping[str, Mapping[str, Float64[np.ndarray, " queries"]]]
"""Per-query values: system → measure → [queries]."""


@dataclass(frozen=True)
class Estimate:
    """A mean over queries with its 95 % bootstrap interval (NaN where there are too few queries)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Difference:
    """A mean difference of two systems with its 95 % bootstrap interval and the p-value of the sign-flip test."""

    difference: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Summary:
    """What is reported of one set of queries: the headline set or a slice.

    Attributes:
        num_queries: Queries with a relevant product; everything else is an average over them.
        systems: System → measure → mean.
        paired: "later - earlier" → measure → difference, for every pair in the order the systems were given.
        overlap: System → other system → mean share of its top 10 that is in the other's top 10.
    """

    num_queries: int
    systems: dict[str, dict[str, Estimate]]
    paired: dict[str, dict[str, Difference]]
    overlap: dict[str, dict[str, float]]

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values; a number that is not defined is null."""
        return {
            "queries": self.num_queries,
            "systems": _plain(self.systems),
            "paired": _plain(self.paired),
            "overlap@10": _plain(self.overlap),
        }


def summarise(
    values: Values,
    *,
    overlaps: Values,
    chosen: Bool[np.ndarray, " queries"],
    seed: int,
) -> Summary:
    """Average per-query values over the chosen queries.

    Args:
        values: System → measure → value of every query, finite where chosen.
        overlaps: System → other system → share of every query, NaN where the system has no result.
        chosen: The queries to average over.
        seed: Seed of resamples and permutations.
    """
    columns = {system: np.stack([of[measure][chosen] for measure in of], axis=1) for system, of in values.items()}
    pairs = {f"{later} - {earlier}": (later, earlier) for earlier, later in combinations(columns, 2)}
    differences = {pair: columns[later] - columns[earlier] for pair, (later, earlier) in pairs.items()}
    # One set of resamples for all: drawing them is most of the work.
    intervals = _intervals({**columns, **differences}, seed=seed)
    systems = {
        system: dict(zip(values[system], [Estimate(*row) for row in intervals[system]], strict=True))
        for system in columns
    }
    paired = {}
    for pair, (later, _) in pairs.items():
        p = sign_flip_p(differences[pair], seed=seed)
        rows = zip(intervals[pair], p, strict=True)
        paired[pair] = dict(zip(values[later], [Difference(*row, float(one)) for row, one in rows], strict=True))
    overlap = {
        system: {other: _mean_defined(shares[chosen]) for other, shares in of.items()}
        for system, of in overlaps.items()
    }
    return Summary(int(chosen.sum()), systems, paired, overlap)


def _intervals(
    columns: Mapping[str, Float64[np.ndarray, "queries measures"]], *, seed: int
) -> dict[str, list[tuple[float, float, float]]]:
    """Return mean, lower and upper bound of every column of every table."""
    together = np.concatenate(list(columns.values()), axis=1)
    low, high = bootstrap_intervals(together, seed=seed)
    mean = together.mean(axis=0) if len(together) else np.full(together.shape[1], np.nan)
    rows = iter(zip(mean.tolist(), low.tolist(), high.tolist(), strict=True))
    return {name: [next(rows) for _ in range(column.shape[1])] for name, column in columns.items()}


def _mean_defined(shares: Float64[np.ndarray, " queries"]) -> float:
    defined = shares[~np.isnan(shares)]
    return float(defined.mean()) if len(defined) else float("nan")


def _plain(value: object) -> object:
    if isinstance(value, Estimate | Difference):
        return _plain(vars(value))
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    # JSON has no NaN.
    return None if isinstance(value, float) and np.isnan(value) else value
