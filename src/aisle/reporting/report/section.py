"""What a section of the report is, and the pieces of HTML that all of them are made of."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from aisle.core.intervals import Mark

__all__ = [
    "Made",
    "Section",
    "day",
    "details",
    "mark_of",
    "p_value",
    "paragraph",
    "per_cent",
    "share",
    "signed",
    "signed_per_cent",
    "table",
]


@dataclass(frozen=True)
class Made:
    """How an artefact came to be.

    Attributes:
        command: The command that made it.
        artefact: Its folder in the workspace.
        created_at: When, UTC, ISO 8601.
        seed: Its seed.
        data_hash: SHA-256 over all that it was made from; empty where nothing is known.
        version: Version of Aisle that made it.
        changed: What it was made from that is another one by now.
    """

    command: str
    artefact: str
    created_at: str
    seed: int
    data_hash: str
    version: str
    changed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Section:
    """One section of the report.

    Attributes:
        key: Its anchor.
        title: Its heading.
        body: HTML; empty where what it tells of is missing.
        findings: What it comes to, in plain sentences, for those who read no further.
        made: Where its figures come from.
        missing: What is not there, in plain words; empty where all is.
        command: What makes the missing.
        is_simulated: Whether its figures are those of a simulated marketplace; said beside its heading.
    """

    key: str
    title: str
    body: str = ""
    findings: tuple[str, ...] = ()
    made: tuple[Made, ...] = ()
    missing: str = ""
    command: str = ""
    is_simulated: bool = False


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, caption: str, numbers_from: int = 1) -> str:
    """Lay out plain texts; the first column names the row.

    Args:
        header: Names of the columns.
        rows: Cells, escaped here.
        caption: What is shown.
        numbers_from: Column from which cells are numbers, written to the right.
    """

    def kind(place: int) -> str:
        return ' class="number"' if place >= numbers_from else ""

    heads = "".join(f'<th scope="col"{kind(place)}>{escape(name)}</th>' for place, name in enumerate(header))
    lines = "\n".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td{kind(place)}>{escape(cell)}</td>" for place, cell in enumerate(row[1:], 1))
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="frame" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{heads}</tr></thead><tbody>\n{lines}\n</tbody></table></div>"
    )


def details(summary: str, body: str) -> str:
    """Return what only those who want it open."""
    return f"<details><summary>{escape(summary)}</summary>\n{body}\n</details>"


def paragraph(text: str) -> str:
    """Return a paragraph of plain text."""
    return f"<p>{escape(text)}</p>"


def mark_of(values: Mapping[str, Any], *, key: str = "value", series: int = 0, note: str = "") -> Mark:
    """Return a value with its interval from an artefact's JSON, where null and NaN mean that it is not defined."""
    value, low, high = (_defined(values.get(name)) for name in (key, "low", "high"))
    return Mark(value, low, high, series=series, note=note)


def _defined(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def share(value: float) -> str:
    """Write a value between 0 and 1.

    >>> share(0.1234)
    '0.123'
    """
    return f"{value:.3f}"


def signed(value: float) -> str:
    """Write a difference of such values.

    >>> signed(-0.0123), signed(0.0)
    ('−0.012', '0')
    """
    text = f"{value:+.3f}"
    return "0" if float(text) == 0 else text.replace("-", "−")


def per_cent(value: float) -> str:
    """Write a share in per cent.

    >>> per_cent(0.0336), per_cent(0.5)
    ('3.36 %', '50.0 %')
    """
    return f"{100 * value:.2f} %" if abs(value) < 0.1 else f"{100 * value:.1f} %"


def signed_per_cent(value: float) -> str:
    """Write a relative difference.

    >>> signed_per_cent(0.1), signed_per_cent(-0.0123), signed_per_cent(0.0)
    ('+10 %', '−1.2 %', '0 %')
    """
    text = f"{100 * value:+.1f}".removesuffix(".0")
    return "0 %" if float(text) == 0 else f"{text.replace('-', '−')} %"


def p_value(p: float | None) -> str:
    """Write a p-value; what would round to 0 is told by its bound.

    >>> p_value(0.0001), p_value(0.0312), p_value(None)
    ('p<0.001', 'p=0.031', '')
    """
    if p is None:
        return ""
    return "p<0.001" if p < 0.001 else f"p={p:.3f}"


def day(time: str | None) -> str:
    """Return the day of a time in ISO 8601.

    >>> day("2025-06-10T12:04:10.000000Z")
    '2025-06-10'
    """
    return time[:10] if time else "the end"
