"""An ablation laid out for people: tables as Markdown and for the terminal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from aisle.evaluation import p_text
from aisle.experiments.ablation import ALL, Cell, Compared, RowResult
from aisle.experiments.claims import Held

__all__ = ["PlainTable", "ablation_tables"]

_HEADLINE = ("R@100", "R@10", "nDCG@10")


@dataclass(frozen=True)
class PlainTable:
    """A table of texts.

    Attributes:
        title: What it shows.
        header: Names of its columns.
        rows: Cells of its rows.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> PlainTable:
        """Build it from JSON of its fields."""
        return cls(values["title"], tuple(values["header"]), tuple(map(tuple, values["rows"])))

    def markdown(self) -> list[str]:
        """Return it as lines of Markdown."""
        lines = [self.header, ("---",) * len(self.header), *self.rows]
        return [f"**{self.title}**", "", *(f"| {' | '.join(cells)} |" for cells in lines)]

    def rich(self) -> Table:
        """Return it for the terminal."""
        table = Table(
            title=Text(self.title), title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False
        )
        for number, name in enumerate(self.header):
            table.add_column(name, justify="right" if number else "left")
        for cells in self.rows:
            table.add_row(*(Text(cell) for cell in cells))
        return table


def ablation_tables(rows: Sequence[RowResult], held: Sequence[Held], *, told: Mapping[str, str]) -> list[PlainTable]:
    """Lay out an ablation.

    Args:
        rows: What each row came to.
        held: Published claims beside it.
        told: Labels, those of the headline first → in words what was to be found: "true products (simulated)". The
            others get a table of means each.

    Returns:
        Means; what each row's baseline has more, by measure and by slice; other labels; claims.
    """
    labels, *others = told
    tables = [_means(rows, labels, told[labels]), _differences(rows, labels), *_by_slice(rows, labels)]
    tables += [_means(rows, name, told[name]) for name in others]
    return [*tables, _claims(held)] if held else tables


def _means(rows: Sequence[RowResult], labels: str, told: str) -> PlainTable:
    names = _measures(rows, labels)
    lines = []
    for row in rows:
        cells = row.results[labels][ALL]
        taken = (_taken(row, name) for name in ("minutes", "cpu_minutes"))
        num_seeds = len(row.runs.by_seed)
        shown = (f"{_value(cells[name])}{_range(cells[name], num_seeds)}" for name in names)
        lines.append((row.runs.name, str(num_seeds), *shown, *taken))
    title = f"{told}: mean [95 % interval over searches] (range over seeds)"
    return PlainTable(title, ("row", "seeds", *names, "minutes", "CPU minutes"), tuple(lines))


def _taken(row: RowResult, name: str) -> str:
    """Return how long a run took, on average."""
    minutes = [float(one[name]) for one in row.runs.training if name in one]
    return f"{sum(minutes) / len(minutes):.1f}" if minutes else "–"


def _differences(rows: Sequence[RowResult], labels: str) -> PlainTable:
    names = _measures(rows, labels)
    lines = [
        (row.runs.name, row.runs.baseline, *(_difference(row.results[labels][ALL][name], row) for name in names))
        for row in rows
        if row.runs.baseline is not None
    ]
    title = "what the baseline has more [95 % interval], p corrected by Holm over the rows"
    return PlainTable(title, ("row", "baseline", *names), tuple(lines))


def _by_slice(rows: Sequence[RowResult], labels: str) -> list[PlainTable]:
    """Return means and differences of the main measure by slice."""
    names = [name for name in rows[0].results[labels] if name != ALL]
    if not names:
        return []
    main = _measures(rows, labels)[0]
    means = [(row.runs.name, *(_value(row.results[labels][name][main]) for name in names)) for row in rows]
    differences = [
        (row.runs.name, *(_difference(row.results[labels][name][main], row) for name in names))
        for row in rows
        if row.runs.baseline is not None
    ]
    return [
        PlainTable(f"{main} by slice", ("row", *names), tuple(means)),
        PlainTable(
            f"{main}: what the baseline has more by slice, p corrected by Holm over rows and slices",
            ("row", *names),
            tuple(differences),
        ),
    ]


def _claims(held: Sequence[Held]) -> PlainTable:
    lines = []
    for one in held:
        claim = one.claim
        figure = (
            "" if one.holds_figure is None else f"; figure {'inside' if one.holds_figure else 'outside'} the interval"
        )
        measured = f"{one.lift:+.1%} [{one.low:+.1%}, {one.high:+.1%}]"
        told = f"{claim.claim} ({claim.source}; {claim.note})"
        lines.append((claim.row, told, f"{claim.measure}, {claim.slice}", measured, f"{one.sign}{figure}"))
    header = ("row", "published", "measure", "measured lift of its baseline", "agreement")
    return PlainTable("published claims beside what was measured", header, tuple(lines))


def _measures(rows: Sequence[RowResult], labels: str) -> list[str]:
    known = rows[0].results[labels][ALL]
    return [name for name in _HEADLINE if name in known] or list(known)


def _value(cell: Cell) -> str:
    interval = "" if math.isnan(cell.low) else f" [{_short(cell.low)}, {_short(cell.high)}]"
    return f"{_short(cell.value)}{interval}"


def _range(cell: Cell, num_seeds: int) -> str:
    return f" ({_short(cell.seeds[0])}–{_short(cell.seeds[1])})" if num_seeds > 1 else ""


def _short(value: float) -> str:
    return f"{value:.3f}".replace("0.", ".", 1) if value < 1 else f"{value:.3f}"


def _difference(cell: Cell, row: RowResult) -> str:
    if row.runs.is_baseline:
        return "no different here"
    return "–" if cell.compared is None else _compared(cell.compared)


def _compared(one: Compared) -> str:
    interval = "" if math.isnan(one.low) else f" [{one.low:+.3f}, {one.high:+.3f}]"
    return f"{one.difference:+.3f}{interval} {p_text(one.p_holm)}"
