"""What validation reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from jaxtyping import Bool

__all__ = ["FIRST_ROWS", "Action", "Problem", "Report", "first_offenders"]

FIRST_ROWS = 5
"""How many offending rows a problem names."""

_LONGEST_VALUE = 120

Action = Literal["quarantined", "nulled", "refused"]
"""What became of the rows or values: the row set aside, the value made null, or the whole table refused."""


@dataclass(frozen=True)
class Problem:
    """One rule that values of a column (or of several, for keys) break."""

    column: str
    rule: str
    action: Action
    count: int
    """Number of rows."""
    first: tuple[tuple[int, object], ...]
    """The first of these rows, from 1, with their values."""

    def __str__(self) -> str:
        """Return one line for people."""
        rows = ", ".join(f"row {row}: {value!r}" for row, value in self.first)
        return f"{self.column} {self.rule}: {self.count:,} {self.action} ({rows})"


@dataclass(frozen=True)
class Report:
    """Everything that validation found in one table."""

    table: str
    num_rows: int
    num_usable: int
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    """What is allowed but looks like a slip, such as an extra column with nearly a contract's name."""

    @property
    def num_quarantined(self) -> int:
        """Number of rows that were set aside."""
        return self.num_rows - self.num_usable

    def as_dict(self) -> dict[str, object]:
        """Return the report as plain values for JSON."""
        return {
            "table": self.table,
            "rows": self.num_rows,
            "usable": self.num_usable,
            "quarantined": self.num_quarantined,
            "problems": [
                {
                    "column": problem.column,
                    "rule": problem.rule,
                    "action": problem.action,
                    "count": problem.count,
                    "first": [{"row": row, "value": value} for row, value in problem.first],
                }
                for problem in self.problems
            ],
            "notes": list(self.notes),
        }


def first_offenders(mask: Bool[np.ndarray, " rows"], columns: list[pa.ChunkedArray]) -> tuple[tuple[int, object], ...]:
    """Return the first offending rows, from 1, with the values of one or several columns as plain values."""
    rows = np.flatnonzero(mask)[:FIRST_ROWS]
    picked = [[_plain(value) for value in column.take(pa.array(rows)).to_pylist()] for column in columns]
    values = picked[0] if len(picked) == 1 else [" · ".join(map(str, parts)) for parts in zip(*picked, strict=True)]
    return tuple(zip((rows + 1).tolist(), values, strict=True))


def _plain(value: object) -> object:
    """Keep what JSON can say; write the rest, NaN and infinity included, as text."""
    if value is None or isinstance(value, bool | int) or (isinstance(value, float) and np.isfinite(value)):
        return value
    text = str(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
