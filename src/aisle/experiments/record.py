"""An ablation as plain values: JSON for machines, columns for a table in Parquet."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from aisle.experiments.ablation import ALL, Cell, RowResult

__all__ = ["ablation_columns", "ablation_rows"]

_KEYS = {
    "truth": ("truth", "truth_slices"),
    "log": ("logged_orders", "logged_slices"),
    "judgments": ("judged", "judged_slices"),
}
_HEADLINE = ("measures", "slices")


def ablation_rows(rows: Sequence[RowResult], *, labels: str) -> list[dict[str, Any]]:
    """Return one object per row: measures and slices of the headline's labels, and those of others beside them.

    Args:
        rows: What each row came to.
        labels: Labels of the headline.
    """
    return [_row(row, labels) for row in rows]


def ablation_columns(rows: Sequence[RowResult]) -> dict[str, list[Any]]:
    """Return the cells as columns: one line per row, labels, slice and measure."""
    lines: list[dict[str, Any]] = [
        {"row": row.runs.name, "baseline": row.runs.baseline, "labels": labels, "slice": name, "measure": measure}
        | _flat(cell)
        for row in rows
        for labels, slices in row.results.items()
        for name, cells in slices.items()
        for measure, cell in cells.items()
    ]
    return {name: [line[name] for line in lines] for name in lines[0]}


def _row(row: RowResult, labels: str) -> dict[str, Any]:
    made: dict[str, Any] = {"name": row.runs.name, "seeds": len(row.runs.by_seed), "baseline": row.runs.baseline}
    if row.runs.is_baseline:
        made["same_as_baseline"] = True
    for name, slices in row.results.items():
        whole, parts = _HEADLINE if name == labels else _KEYS[name]
        made[whole] = _cells(slices[ALL])
        made[parts] = {one: _cells(cells) for one, cells in slices.items() if one != ALL}
    if row.runs.training:
        names = row.runs.training[0]
        made["training"] = {name: [one[name] for one in row.runs.training] for name in names}
    return made


def _cells(cells: Mapping[str, Cell]) -> dict[str, Any]:
    return {measure: _cell(cell) for measure, cell in cells.items()}


def _cell(cell: Cell) -> dict[str, Any]:
    made: dict[str, Any] = {
        "value": cell.value,
        "low": _defined(cell.low),
        "high": _defined(cell.high),
        "seeds": list(cell.seeds),
    }
    if cell.compared is not None:
        made["baseline_minus_this"] = {name: _defined(value) for name, value in vars(cell.compared).items()}
    return made


def _flat(cell: Cell) -> dict[str, Any]:
    compared = vars(cell.compared) if cell.compared is not None else {}
    names = ("difference", "low", "high", "p", "p_holm")
    differences = {f"baseline_minus_this_{name}": _defined(compared.get(name, math.nan)) for name in names}
    own = {"value": cell.value, "low": _defined(cell.low), "high": _defined(cell.high)}
    return {**own, "seed_low": cell.seeds[0], "seed_high": cell.seeds[1], **differences}


def _defined(value: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(value) else value
