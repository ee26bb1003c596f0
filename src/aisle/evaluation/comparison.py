"""Two systems query by query: every measure on every slice, tested together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from aisle.evaluation.correction import holm
from aisle.evaluation.paired import paired_test

__all__ = ["ALL", "Compared", "Comparison", "compare_values"]

ALL = "all"
"""Name of the set of all counted queries."""


@dataclass(frozen=True)
class Compared:
    """One measure on one slice; NaN where it has no queries.

    Attributes:
        first: Mean of the first system.
        second: Mean of the second.
        difference: Second minus first.
        low: Lower bound of its 95 % bootstrap interval; NaN with fewer than two queries.
        high: Upper bound.
        p: Two-sided p-value of the paired randomisation test.
        corrected_p: The same by Holm's method over all measures and slices.
    """

    first: float
    second: float
    difference: float
    low: float
    high: float
    p: float
    corrected_p: float


@dataclass(frozen=True)
class Comparison:
    """All measures on all slices.

    Attributes:
        num_queries: Slice → its counted queries.
        rows: Slice → measure → what came out; `ALL` first.
        num_tests: Comparisons that the p-values are corrected for.
    """

    num_queries: dict[str, int]
    rows: dict[str, dict[str, Compared]]
    num_tests: int

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values; a number that is not defined is null."""
        rows = {
            name: {
                "queries": self.num_queries[name],
                "measures": {measure: _plain(vars(one)) for measure, one in row.items()},
            }
            for name, row in self.rows.items()
        }
        return {"tests": self.num_tests, "slices": rows}


def compare_values(
    first: Mapping[str, Float64[np.ndarray, " queries"]],
    second: Mapping[str, Float64[np.ndarray, " queries"]],
    *,
    is_counted: Bool[np.ndarray, " queries"],
    slices: Mapping[str, Bool[np.ndarray, " queries"]],
    seed: int,
) -> Comparison:
    """Compare two systems by the values of every query.

    Args:
        first: Measure → value of every query, finite where counted.
        second: Those of the other system.
        is_counted: Queries with a relevant product.
        slices: Name → queries that belong to it.
        seed: Seed of resamples and sign flips.
    """
    chosen = {ALL: is_counted, **{name: is_counted & mask for name, mask in slices.items()}}
    columns = [np.stack(list(side.values()), axis=1) for side in (first, second)]
    tests = {name: paired_test(columns[1][rows], columns[0][rows], seed=seed) for name, rows in chosen.items()}
    p = np.concatenate([test.p for test in tests.values()])
    corrected = iter(holm(p).reshape(len(tests), -1))
    rows = {}
    for name, test in tests.items():
        means = [_mean(side[chosen[name]]) for side in columns]
        table = np.column_stack([*means, test.difference, test.low, test.high, test.p, next(corrected)])
        rows[name] = dict(zip(first, [Compared(*row) for row in table.tolist()], strict=True))
    counts = {name: int(mask.sum()) for name, mask in chosen.items()}
    return Comparison(counts, rows, int((~np.isnan(p)).sum()))


def _mean(values: Float64[np.ndarray, "queries measures"]) -> Float64[np.ndarray, " measures"]:
    return values.mean(axis=0) if len(values) else np.full(values.shape[1], np.nan)


def _plain(values: Mapping[str, float]) -> dict[str, float | None]:
    return {name: None if np.isnan(value) else value for name, value in values.items()}
