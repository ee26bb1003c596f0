"""What each row of an ablation came to: means over seeds and searches, intervals, and differences from its baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from aisle.core.errors import ShapeError
from aisle.evaluation import bootstrap_intervals, holm, paired_test

__all__ = ["ALL", "Cell", "Compared", "Results", "RowResult", "RowRuns", "compare_rows"]

ALL = "all"
"""Name of the whole set of searches among its slices."""

PerSearch = Mapping[str, Float64[np.ndarray, " searches"]]
"""Measure → value of every search, NaN where nothing was to be found."""


@dataclass(frozen=True, eq=False)
class RowRuns:
    """What was measured of one row.

    Attributes:
        name: As it is printed.
        by_seed: One entry per seed: labels → measure → value of every search.
        baseline: Name of the row that it is compared with; None: with none.
        is_baseline: Whether its settings come to the same as its baseline's, so that there is nothing to compare.
        training: Figures of training, one entry per seed; empty where nothing was trained.
    """

    name: str
    by_seed: Sequence[Mapping[str, PerSearch]]
    baseline: str | None = None
    is_baseline: bool = False
    training: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Compared:
    """What a baseline has more than a row: mean, 95 % interval over searches, and p.

    Attributes:
        difference: Mean of the baseline minus the row.
        low: Lower bound of its bootstrap interval.
        high: Upper bound.
        p: Two-sided p-value of the paired sign-flip test.
        p_holm: The same, corrected by Holm for all comparisons of its family.
    """

    difference: float
    low: float
    high: float
    p: float
    p_holm: float = float("nan")


@dataclass(frozen=True)
class Cell:
    """One measure of one row on one set of searches.

    Attributes:
        value: Mean over searches, each averaged over the seeds.
        low: Lower bound of its 95 % bootstrap interval over searches.
        high: Upper bound.
        seeds: Least and largest mean of a single seed.
        compared: What the baseline has more; None where there is nothing to compare.
    """

    value: float
    low: float
    high: float
    seeds: tuple[float, float]
    compared: Compared | None = None


Results = dict[str, dict[str, Cell]]
"""Slice (`ALL` first) → measure → cell."""


@dataclass(frozen=True)
class RowResult:
    """What one row came to.

    Attributes:
        runs: What was measured of it.
        results: Labels → slice → measure → cell.
    """

    runs: RowRuns
    results: dict[str, Results] = field(default_factory=dict)


def compare_rows(
    rows: Sequence[RowRuns], slices: Mapping[str, Mapping[str, Bool[np.ndarray, " searches"]]], *, seed: int
) -> list[RowResult]:
    """Average over seeds and searches, and compare each row with its baseline search by search.

    p-values are corrected by Holm in families: the headline of one measure over all rows, and apart from it the
    slices of one measure over all rows.

    Args:
        rows: What was measured, all on the same searches.
        slices: Labels → slice → the searches that belong to it.
        seed: Seed of resamples and sign flips.

    Returns:
        One result per row; slices in which nothing was to be found are left out.

    Raises:
        ShapeError: If rows were measured on other searches than the slices are of.
    """
    found = [RowResult(row) for row in rows]
    for labels, masks in slices.items():
        stack = _Stack.of(rows, labels)
        wrong = {name: len(mask) for name, mask in masks.items() if len(mask) != len(stack.mean)}
        if wrong:
            raise ShapeError(
                "Slices must be of the searches that were measured",
                received={"labels": labels, "measured": len(stack.mean), **wrong},
            )
        every = {ALL: np.ones(len(stack.mean), bool), **masks}
        by_slice = {name: stack.cells(mask, seed=seed) for name, mask in every.items() if (stack.counted & mask).any()}
        headline, others = ({ALL: by_slice.pop(ALL)}, by_slice)
        corrected = _corrected(headline) | _corrected(others)
        for row in found:
            row.results[labels] = {name: cells[row.runs.name] for name, cells in corrected.items()}
    return found


@dataclass(frozen=True, eq=False)
class _Stack:
    """All rows and measures side by side, so that resamples are drawn once.

    Attributes:
        rows: The rows.
        measures: Names.
        mean: Mean over seeds, [searches, rows x measures].
        by_seed: Values of each seed of each row, [searches, measures] each.
        counted: Searches with something to be found.
    """

    rows: Sequence[RowRuns]
    measures: tuple[str, ...]
    mean: Float64[np.ndarray, "searches columns"]
    by_seed: list[list[Float64[np.ndarray, "searches measures"]]]
    counted: Bool[np.ndarray, " searches"]

    @classmethod
    def of(cls, rows: Sequence[RowRuns], labels: str) -> _Stack:
        measures = tuple(rows[0].by_seed[0][labels])
        by_seed = [[np.stack([run[labels][one] for one in measures], axis=1) for run in row.by_seed] for row in rows]
        lengths = {row.name: [len(values) for values in runs] for row, runs in zip(rows, by_seed, strict=True)}
        counted = np.isfinite(by_seed[0][0]).all(axis=1)
        same = all(
            len(values) == len(counted) and np.array_equal(np.isfinite(values).all(axis=1), counted)
            for runs in by_seed
            for values in runs
        )
        if not same:
            raise ShapeError("All rows must be measured on the same searches", received={"labels": labels, **lengths})
        return cls(
            rows, measures, np.concatenate([np.mean(runs, axis=0) for runs in by_seed], axis=1), by_seed, counted
        )

    def cells(self, mask: Bool[np.ndarray, " searches"], *, seed: int) -> dict[str, dict[str, Cell]]:
        """Return row → measure → cell over some searches, with p-values that are not corrected yet."""
        chosen = mask & self.counted
        values = self.mean[chosen]
        low, high = bootstrap_intervals(values, seed=seed)
        compared = self._compared(values, seed=seed)
        cells: dict[str, dict[str, Cell]] = {}
        for number, row in enumerate(self.rows):
            means = np.stack([of_seed[chosen].mean(axis=0) for of_seed in self.by_seed[number]])
            cells[row.name] = {
                measure: Cell(
                    float(values[:, column].mean()),
                    float(low[column]),
                    float(high[column]),
                    (float(means[:, place].min()), float(means[:, place].max())),
                    compared.get((row.name, measure)),
                )
                for place, measure in enumerate(self.measures)
                for column in [number * len(self.measures) + place]
            }
        return cells

    def _compared(self, values: Float64[np.ndarray, "chosen columns"], *, seed: int) -> dict[tuple[str, str], Compared]:
        place = {row.name: number for number, row in enumerate(self.rows)}
        pairs = [(row.name, row.baseline) for row in self.rows if row.baseline is not None and not row.is_baseline]
        if not pairs:
            return {}
        width = np.arange(len(self.measures))
        own = np.concatenate([place[name] * len(width) + width for name, _ in pairs])
        base = np.concatenate([place[baseline] * len(width) + width for _, baseline in pairs])
        test = paired_test(values[:, base], values[:, own], seed=seed)
        names = [(name, measure) for name, _ in pairs for measure in self.measures]
        columns = zip(test.difference, test.low, test.high, test.p, strict=True)
        return {name: Compared(*map(float, column)) for name, column in zip(names, columns, strict=True)}


def _corrected(by_slice: dict[str, dict[str, dict[str, Cell]]]) -> dict[str, dict[str, dict[str, Cell]]]:
    """Correct the p-values of one family of slice → row → measure → cell, each measure for itself."""
    measures = {measure for cells in by_slice.values() for row in cells.values() for measure in row}
    of_measure = {
        measure: [
            (name, row, cells[row][measure])
            for name, cells in by_slice.items()
            for row in cells
            if cells[row][measure].compared is not None
        ]
        for measure in measures
    }
    corrected: dict[tuple[str, str, str], float] = {}
    for measure, family in of_measure.items():
        p = holm(np.array([cell.compared.p for *_, cell in family if cell.compared is not None]))
        corrected |= {(name, row, measure): float(value) for (name, row, _), value in zip(family, p, strict=True)}

    def cell_of(name: str, row: str, measure: str, cell: Cell) -> Cell:
        if cell.compared is None:
            return cell
        return replace(cell, compared=replace(cell.compared, p_holm=corrected[name, row, measure]))

    return {
        name: {
            row: {measure: cell_of(name, row, measure, cell) for measure, cell in of_row.items()}
            for row, of_row in cells.items()
        }
        for name, cells in by_slice.items()
    }
