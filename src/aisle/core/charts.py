"""Small charts as inline SVG: lines and bars, for pages that must open anywhere without a script."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

__all__ = ["Series", "bar_chart", "line_chart", "nice_step"]

_WIDTH, _HEIGHT = 520, 280
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 14, 26, 40
_TICKS = 5
_LEGEND_STEP = 18
_MOST_DOTS = 60


@dataclass(frozen=True)
class Series:
    """One line, or one colour of bars."""

    name: str
    points: tuple[tuple[float, float], ...]
    """(x, y); bars take x as the position of the group, from 0."""
    is_joined: bool = True
    """Whether a line joins the points; else each is a dot, however many there are."""


@dataclass(frozen=True)
class _Axis:
    """Maps values to pixels."""

    low: float
    high: float
    begin: float
    end: float
    is_log: bool

    def at(self, value: float) -> float:
        low, high, value = (math.log10(one) if self.is_log else one for one in (self.low, self.high, value))
        share = (value - low) / (high - low) if high > low else 0.0
        return round(self.begin + share * (self.end - self.begin), 1)

    def ticks(self) -> list[float]:
        if self.is_log:
            return _log_ticks(self.low, self.high)
        step = nice_step((self.high - self.low or abs(self.high) or 1.0) / _TICKS)
        return [number * step for number in range(math.ceil(self.low / step), math.floor(self.high / step + 1e-9) + 1)]


def line_chart(
    series: Sequence[Series],
    *,
    x_label: str,
    y_label: str,
    is_log: bool = False,
    percent: bool = False,
    legend_at: Literal["top", "bottom"] = "top",
) -> str:
    """Draw lines, with dots where there are few of them.

    Args:
        series: At least one point in all; on logarithmic axes all values are positive.
        x_label: Words under the x axis.
        y_label: Words above the y axis.
        is_log: Both axes logarithmic.
        percent: Values of y are shares, written in per cent.
        legend_at: Corner on the right for the names: the bottom for lines that rise.
    """
    xs, ys = ([point[place] for one in series for point in one.points] for place in (0, 1))
    across = _Axis(min(xs), max(xs), _LEFT, _WIDTH - _RIGHT, is_log)
    lowest = min(ys) if is_log else min(0.0, *ys)
    up = _Axis(lowest, max(ys) or 1.0, _HEIGHT - _BOTTOM, _TOP, is_log)
    ticks = [(across.at(value), _number(value, percent=False)) for value in across.ticks()]
    parts = [*_grid(up, percent=percent), *_x_ticks(ticks), *_labels(x_label, y_label)]
    for number, one in enumerate(series):
        dots = [(across.at(x), up.at(y), x, y) for x, y in one.points]
        path = " ".join(f"{x},{y}" for x, y, _, _ in dots)
        if one.is_joined:
            parts.append(f'<polyline class="line s{number}" points="{path}"/>')
        shown = dots if len(dots) <= _MOST_DOTS or not one.is_joined else []
        parts += [
            f'<circle class="dot s{number}" cx="{left}" cy="{top}" r="2.6">'
            f"<title>{escape(one.name)}: {_number(x, percent=False)} → {_number(y, percent=percent)}</title></circle>"
            for left, top, x, y in shown
        ]
    lines = _legend(
        series, lowered=_HEIGHT - _BOTTOM - _TOP - _LEGEND_STEP * len(series) if legend_at == "bottom" else 0
    )
    return _svg([*parts, *lines], title=f"{y_label} by {x_label}")


def bar_chart(
    series: Sequence[Series], *, groups: Sequence[str], x_label: str, y_label: str, percent: bool = False
) -> str:
    """Draw bars side by side in groups.

    Args:
        series: Each with at most one point per group.
        groups: Names of the groups, in order.
        x_label: Words under the x axis.
        y_label: Words above the y axis.
        percent: Values are shares, written in per cent.
    """
    highest = max((y for one in series for _, y in one.points), default=0.0) or 1.0
    # The names stand above the bars, whichever of them is the highest.
    named = _LEGEND_STEP * len(series) / (_HEIGHT - _BOTTOM - _TOP)
    up = _Axis(0.0, highest / (1 - min(named, 0.5)), _HEIGHT - _BOTTOM, _TOP, is_log=False)
    room = (_WIDTH - _RIGHT - _LEFT) / max(len(groups), 1)
    width = 0.8 * room / max(len(series), 1)
    ticks = [(_LEFT + (place + 0.5) * room, name) for place, name in enumerate(groups)]
    parts = [*_grid(up, percent=percent), *_x_ticks(ticks), *_labels(x_label, y_label)]
    for number, one in enumerate(series):
        for group, value in one.points:
            left = _LEFT + (group + 0.1) * room + number * width
            top = up.at(value)
            parts.append(
                f'<rect class="bar s{number}" x="{left:.1f}" y="{top}" width="{width:.1f}" '
                f'height="{_HEIGHT - _BOTTOM - top:.1f}"><title>{escape(one.name)}, {escape(groups[int(group)])}: '
                f"{_number(value, percent=percent)}</title></rect>"
            )
    return _svg([*parts, *_legend(series)], title=f"{y_label} by {x_label}")


def _svg(parts: Sequence[str], *, title: str) -> str:
    inner = "\n".join(parts)
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">\n{inner}\n</svg>'


def _grid(up: _Axis, *, percent: bool) -> list[str]:
    return [
        line
        for value in up.ticks()
        for line in (
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{up.at(value)}" y2="{up.at(value)}"/>',
            f'<text class="tick" x="{_LEFT - 6}" y="{up.at(value) + 4}" text-anchor="end">'
            f"{_number(value, percent=percent)}</text>",
        )
    ]


def _x_ticks(ticks: Sequence[tuple[float, str]]) -> list[str]:
    return [
        f'<text class="tick" x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 15}" text-anchor="middle">{escape(name)}</text>'
        for x, name in ticks
    ]


def _labels(x_label: str, y_label: str) -> list[str]:
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    return [
        f'<text class="label" x="{middle}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(x_label)}</text>',
        f'<text class="label" x="{_LEFT}" y="{_TOP - 12}">{escape(y_label)}</text>',
    ]


def _legend(series: Sequence[Series], *, lowered: int = 0) -> list[str]:
    right, top = _WIDTH - _RIGHT, _TOP + 12 + lowered
    return [
        f'<text class="legend s{number}" x="{right}" y="{top + number * _LEGEND_STEP}" text-anchor="end">'
        f"{escape(one.name)}</text>"
        for number, one in enumerate(series)
    ]


def _log_ticks(low: float, high: float) -> list[float]:
    """Return the powers of ten in between, with their doubles and fives where there are fewer than two.

    >>> _log_ticks(1, 1000), _log_ticks(150, 900)
    ([1.0, 10.0, 100.0, 1000.0], [200.0, 500.0])
    """
    powers = [10.0**power for power in range(_floor_log(low), _floor_log(high) + 1)]
    inside = [one for one in powers if low <= one * (1 + 1e-9)]
    return inside if len(inside) > 1 else [one * by for one in powers for by in (1, 2, 5) if low <= one * by <= high]


def nice_step(step: float) -> float:
    """Round a step up to 1, 2 or 5 times a power of ten.

    >>> nice_step(0.03), nice_step(1.2)
    (0.05, 2.0)
    """
    power = 10.0 ** _floor_log(step)
    return next(one for one in (1.0, 2.0, 5.0, 10.0) if step / power <= one + 1e-9) * power


def _floor_log(value: float) -> int:
    return math.floor(math.log10(value) + 1e-9)


def _number(value: float, *, percent: bool) -> str:
    """Write a number shortly.

    >>> _number(0.125, percent=True), _number(20000.0, percent=False), _number(0.5, percent=False)
    ('12.5 %', '20,000', '0.5')
    """
    scaled = value * 100 if percent else value
    text = f"{scaled:,.0f}" if abs(scaled) >= 100 or scaled == round(scaled) else f"{scaled:.3g}"
    return f"{text} %" if percent else text
