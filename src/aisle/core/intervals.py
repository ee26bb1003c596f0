"""Values with their intervals as a table that is also a chart: dots with whiskers beside the numbers.

A row's strip is drawn in shares of its width, so that its dots keep their size on any screen, and the numbers beside it
are text: a reader who does not see the strip misses nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from aisle.core.charts import nice_step

__all__ = ["Band", "IntervalRow", "Mark", "interval_table"]

_SHAPES = (
    '<circle class="shape {classes}" r="4"/>',
    '<rect class="shape {classes}" x="-4" y="-4" width="8" height="8"/>',
    '<path class="shape {classes}" d="M0-5 5 0 0 5-5 0z"/>',
    '<path class="shape {classes}" d="M0-5 5 4-5 4z"/>',
    '<path class="shape {classes}" d="M0 5 5-4-5-4z"/>',
)
_GLYPHS = "●■◆▲▼"
_TOP, _STEP = 14, 18
_TICKS = 3
_INSET = 4.0
"""Per cent of the strip's width that stay free at either side, for dots and the words of the axis."""


@dataclass(frozen=True)
class Band:
    """What the axis shows; whiskers that reach out of it end at its border."""

    low: float
    high: float


@dataclass(frozen=True)
class Mark:
    """One value of a row.

    Attributes:
        value: None where it is not defined.
        low: Lower bound; None where there is no interval.
        high: Upper bound.
        series: Number of its colour and shape.
        note: What stands behind the numbers, such as a p-value.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    series: int = 0
    note: str = ""


@dataclass(frozen=True)
class IntervalRow:
    """A name with one value or several, the first on top."""

    name: str
    marks: tuple[Mark, ...]
    note: str = ""


def interval_table(
    rows: Sequence[IntervalRow],
    *,
    caption: str,
    head: str,
    show: Callable[[float], str],
    series: Sequence[str] = (),
    reference: float | None = None,
    band: Band | None = None,
) -> str:
    """Draw values with their intervals, one row each.

    Args:
        rows: From top to bottom; at most five marks each.
        caption: What is shown, in plain words.
        head: Name of the first column.
        show: Writes a number.
        series: Names of the colours, where there are several.
        reference: Where a dashed line stands, such as 0 for differences. The dot of an interval that holds it is
            hollow: the value is not told apart from it.
        band: What the axis shows; None: all of the values and intervals.
    """
    axis = _Axis.of(rows, reference=reference, band=band)
    names = dict(enumerate(series))
    lines = "\n".join(_row(row, axis, names=names, show=show, reference=reference) for row in rows)
    return f"""<div class="frame"><table class="intervals">
<caption>{escape(caption)}{_legend(series)}</caption>
<thead><tr><th scope="col">{escape(head)}</th><th class="plot" aria-hidden="true">{_axis_strip(axis, show)}</th>
<th scope="col" class="numbers">value [95 %]</th></tr></thead>
<tbody>
{lines}
</tbody>
</table></div>"""


@dataclass(frozen=True)
class _Axis:
    low: float
    high: float

    @classmethod
    def of(cls, rows: Sequence[IntervalRow], *, reference: float | None, band: Band | None) -> _Axis:
        if band is not None:
            return cls(band.low, band.high)
        known = [one for row in rows for mark in row.marks for one in (mark.value, mark.low, mark.high)]
        values = [one for one in (*known, reference) if one is not None and math.isfinite(one)] or [0.0]
        low, high = min(values), max(values)
        return cls(low, high) if high > low else cls(low - 0.5, high + 0.5)

    def at(self, value: float) -> float:
        """Return the place in per cent of the strip's width."""
        share = (value - self.low) / (self.high - self.low)
        return round(_INSET + (100 - 2 * _INSET) * min(max(share, 0.0), 1.0), 2)

    def ticks(self) -> list[float]:
        step = nice_step((self.high - self.low) / _TICKS)
        numbers = range(math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9) + 1)
        return [number * step for number in numbers]


def _axis_strip(axis: _Axis, show: Callable[[float], str]) -> str:
    ticks = "".join(
        f'<text class="tick" x="{axis.at(value)}%" y="12" text-anchor="middle">{escape(_shortened(show(value)))}</text>'
        for value in axis.ticks()
    )
    # Narrow screens leave out every other word of an axis that has many.
    many = " many" if len(axis.ticks()) > _TICKS else ""
    return f'<svg class="strip axis{many}">{ticks}</svg>'


def _shortened(number: str) -> str:
    """Leave out zeros that a tick of an axis does not need.

    >>> _shortened("0.200"), _shortened("−1.0 %"), _shortened("10 %"), _shortened("0.000")
    ('0.2', '−1 %', '10 %', '0')
    """
    return re.sub(r"(\.\d*?)0+(?!\d)", r"\1", number).replace(". ", " ").removesuffix(".")


def _row(
    row: IntervalRow, axis: _Axis, *, names: dict[int, str], show: Callable[[float], str], reference: float | None
) -> str:
    note = f"<small>{escape(row.note)}</small>" if row.note else ""
    lines = [
        f'<line class="grid" x1="{axis.at(tick)}%" x2="{axis.at(tick)}%" y1="0" y2="100%"/>' for tick in axis.ticks()
    ]
    if reference is not None:
        place = axis.at(reference)
        lines.append(f'<line class="zero" x1="{place}%" x2="{place}%" y1="0" y2="100%"/>')
    lines += [_drawn(mark, axis, y=_TOP + number * _STEP, reference=reference) for number, mark in enumerate(row.marks)]
    numbers = "".join(_numbers(mark, names=names, show=show) for mark in row.marks)
    return (
        f'<tr><th scope="row">{escape(row.name)}{note}</th><td class="plot" aria-hidden="true">'
        f'<svg class="strip h{len(row.marks)}">{"".join(lines)}</svg></td><td class="numbers">{numbers}</td></tr>'
    )


def _drawn(mark: Mark, axis: _Axis, *, y: int, reference: float | None) -> str:
    if mark.value is None:
        return ""
    whisker, is_open = "", False
    if mark.low is not None and mark.high is not None:
        left, right = axis.at(mark.low), axis.at(mark.high)
        whisker = f'<line class="whisker s{mark.series}" x1="{left}%" x2="{right}%" y1="{y}" y2="{y}"/>'
        is_open = reference is not None and mark.low <= reference <= mark.high
    if not axis.low <= mark.value <= axis.high:
        return whisker
    shape = _SHAPES[mark.series].format(classes=f"s{mark.series}{' open' if is_open else ''}")
    return f'{whisker}<svg x="{axis.at(mark.value)}%" y="{y}" overflow="visible">{shape}</svg>'


def _numbers(mark: Mark, *, names: dict[int, str], show: Callable[[float], str]) -> str:
    key = ""
    if mark.series in names:
        key = (
            f'<b class="key s{mark.series}" aria-hidden="true">{_GLYPHS[mark.series]}</b> '
            f'<span class="unseen">{escape(names[mark.series])} </span>'
        )
    if mark.value is None:
        return f"<span>{key}–</span>"
    interval = "" if mark.low is None or mark.high is None else f" [{show(mark.low)}, {show(mark.high)}]"
    note = f" <small>{escape(mark.note)}</small>" if mark.note else ""
    return f"<span>{key}{escape(show(mark.value) + interval)}{note}</span>"


def _legend(series: Sequence[str]) -> str:
    keys = "".join(
        f'<span><b class="key s{number}" aria-hidden="true">{_GLYPHS[number]}</b> {escape(name)}</span>'
        for number, name in enumerate(series)
    )
    return f'<br/><span class="keys">{keys}</span>' if keys else ""
