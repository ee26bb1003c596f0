"""An evaluation as a table for people."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from rich import box
from rich.table import Table
from rich.text import Text

from aisle.evaluation.evaluate import Evaluation
from aisle.evaluation.summary import Difference, Estimate, Summary

__all__ = ["evaluation_table", "p_text", "plain_table"]


def evaluation_table(
    evaluation: Evaluation, *, wanted: str | None = None, beside: Mapping[str, Summary] | None = None
) -> Table:
    """Lay out means above their [low, high], then paired differences with p-values, then the means of every slice.

    Args:
        evaluation: What was measured.
        wanted: What the averages are over; None for queries with a product of the least grade.
        beside: Measure → what the same systems come to by it on other queries; a column each beside the headline.
    """
    beside = beside or {}
    headline = evaluation.headline
    table = plain_table(
        f"{headline.num_queries} {wanted or f'queries with a product of grade ≥ {evaluation.min_grade:g}'}",
        "[low, high]: 95 % bootstrap interval over queries. p: two-sided paired sign-flip test, uncorrected.",
    )
    table.add_column("system")
    for measure in evaluation.measures:
        table.add_column(measure, justify="right")
    for measure, summary in beside.items():
        table.add_column(f"{measure} of\n{summary.num_queries} judged", justify="right")
    _add_summary(table, headline, evaluation.measures, beside)
    for name, summary in evaluation.slices.items():
        asked = "query" if summary.num_queries == 1 else "queries"
        table.add_row(Text(f"{name}\n({summary.num_queries} {asked})", style="bold"))
        _add_means(table, summary, evaluation.measures)
    return table


def plain_table(title: str, caption: str) -> Table:
    """Return a table without a frame for figures that people compare; its columns are the caller's."""
    return Table(
        # Text, not str: Rich would read what stands in brackets as markup.
        title=Text(title),
        caption=Text(caption),
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
        show_edge=False,
        pad_edge=False,
        title_justify="left",
        caption_justify="left",
    )


# Names and intervals are broken where four measures then fit into 80 columns.
def _add_means(
    table: Table, summary: Summary, measures: tuple[str, ...], beside: Mapping[str, Summary] = MappingProxyType({})
) -> None:
    for system, estimates in summary.systems.items():
        others = [one.systems[system][measure] for measure, one in beside.items()]
        cells = [*(estimates[measure] for measure in measures), *others]
        table.add_row(Text(system), *(Text(_estimate(cell)) for cell in cells))
    table.add_section()


def _add_summary(table: Table, summary: Summary, measures: tuple[str, ...], beside: Mapping[str, Summary]) -> None:
    _add_means(table, summary, measures, beside)
    for pair, differences in summary.paired.items():
        others = [one.paired[pair][measure] for measure, one in beside.items()]
        cells = [*(differences[measure] for measure in measures), *others]
        table.add_row(Text(pair.replace(" - ", "\n- ")), *(Text(_difference(cell)) for cell in cells))
    table.add_section()


def _estimate(estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return "–"
    return f"{estimate.value:.3f}" + _interval(estimate.low, estimate.high)


def _difference(difference: Difference) -> str:
    if math.isnan(difference.difference):
        return "–"
    return f"{difference.difference:+.3f} {p_text(difference.p)}{_interval(difference.low, difference.high)}"


def p_text(p: float) -> str:
    """Write a p-value; what would round to 0 is told by its bound.

    >>> p_text(0.0001), p_text(0.0312)
    ('p<0.001', 'p=0.031')
    """
    return "p<0.001" if p < 0.001 else f"p={p:.3f}"


def _interval(low: float, high: float) -> str:
    return "" if math.isnan(low) else f"\n[{low:.3f}, {high:.3f}]"
