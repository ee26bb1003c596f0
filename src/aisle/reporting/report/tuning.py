"""What tuning the index tried: speed against recall, and the point that was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aisle.core.charts import Series, line_chart
from aisle.core.page import figure
from aisle.reporting.report.section import Made, Section, details, table

__all__ = ["tuning_section"]

_LEAST_MISSED = 1e-4
"""Share of missed products below which a point is drawn at this height: a logarithmic axis has no 0."""


def tuning_section(tuning: Mapping[str, Any] | None, *, made: Sequence[Made]) -> Section:
    """Tell of tuning.

    Args:
        tuning: `tuning.json` as `aisle tune` wrote it; None where there is none.
        made: Where it comes from.
    """
    key, title = "tuning", "Index tuning"
    if tuning is None:
        return Section(key, title, missing="The index was not tuned.", command="aisle tune")
    chosen, front = tuning["chosen"], tuning["front"]
    body = f"""<div class="charts">
{figure("Speed and recall", _plot(tuning), _caption(tuning), level=3)}
</div>
{_points(front, chosen, caption="Pareto front: no other point is better in speed, recall and memory at once")}
{details("All points", _points(tuning["points"], chosen, caption="All that was tried"))}"""
    finding = (
        f"Of {tuning['tried']} settings of the index, the fastest that keeps {tuning['asked']:.1%} of the exact result "
        f"is {_name(chosen)}: {chosen['queries_s']:,.0f} queries a second at ann_recall {chosen['ann_recall']:.4f}."
    )
    return Section(key, title, body, (finding,), tuple(made))


def _plot(tuning: Mapping[str, Any]) -> str:
    front, chosen = tuning["front"], tuning["chosen"]
    others = [one for one in tuning["points"] if one not in front]
    series = [
        Series("Pareto front", _dots([one for one in front if one != chosen]), is_joined=False),
        Series("other settings", _dots(others), is_joined=False),
        Series("chosen", _dots([chosen]), is_joined=False),
    ]
    return line_chart(
        [one for one in series if one.points],
        x_label=f"queries a second, one thread, k = {tuning['k']}",
        y_label="share of the exact result that is missed (1 − ann_recall)",
        is_log=True,
        legend_at="bottom",
    )


def _dots(points: Sequence[Mapping[str, Any]]) -> tuple[tuple[float, float], ...]:
    return tuple((one["queries_s"], max(1 - one["ann_recall"], _LEAST_MISSED)) for one in points)


def _caption(tuning: Mapping[str, Any]) -> str:
    return (
        f"{tuning['queries']:,} validation queries on {tuning['products']:,} products; exact search answers "
        f"{tuning['exact_queries_s']:,.0f} a second. Right and low is better; {tuning['asked']:.1%} is asked for."
    )


def _points(points: Sequence[Mapping[str, Any]], chosen: Mapping[str, Any], *, caption: str) -> str:
    rows = [
        (
            _name(one) + (" (chosen)" if one == chosen else ""),
            f"{one['queries_s']:,.0f}",
            f"{one['ann_recall']:.4f}",
            f"{one['bytes_per_product']:,.0f}",
        )
        for one in points
    ]
    return table(("settings", "queries/s", "ann_recall", "bytes per product"), rows, caption=caption)


def _name(point: Mapping[str, Any]) -> str:
    told = ", ".join(f"{name} {value}" for name, value in point["settings"].items())
    return f"{point['kind']}: {told}" if told else str(point["kind"])
