"""An A/B test as tables for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.markup import escape
from rich.table import Table
from rich.text import Text

__all__ = ["days_table", "funnel_table", "lift_table", "power_lines"]

_METRICS = {
    "purchase_rate_lift": "search purchase rate",
    "conversion_lift": "site-wide conversion",
    "click_rate_lift": "searches with a click",
}


def lift_table(result: Mapping[str, Any], *, title: str) -> Table:
    """Lay out the lifts of an A/B test, and by band where the lift of the purchase rate comes from.

    Args:
        result: With the keys of `Trial.as_dict`, and `a` and `b`, the names of the arms.
        title: What stands above.
    """
    has_parts = any("adds" in one for one in result["bands"].values())
    names = [escape(str(result[side])) for side in "ab"]
    table = _table(title, "what", *names, "lift", "p", *(["adds"] if has_parts else []))
    for key, name in _METRICS.items():
        _add_lift(table, name, result[key])
    table.add_section()
    for band, one in result["bands"].items():
        _add_lift(table, f"purchase rate, {band}", one)
    return table


def days_table(result: Mapping[str, Any]) -> Table:
    """Lay out what the sequential test knew at the end of each day."""
    table = _table("Day by day, whoever looks may stop", "day", "searches", "lift", "always-valid p")
    for look in result["looks"]:
        cells = (str(look["day"]), f"{look['searches']:,}", _lift(look), _p(look["p"]))
        table.add_row(*(Text(cell) for cell in cells))
    return table


def funnel_table(result: Mapping[str, Any]) -> Table:
    """Lay out how much of what shoppers wanted each arm brings, and how much of that the fixed ranker shows."""
    columns = ("searches", "arm", "among candidates", "on the page", "survives the ranker", "best place")
    table = _table("What shoppers would have bought (truth), on its way to the page", *columns)
    for label, sides in result["funnel"].items():
        for side, one in sides.items():
            shares = [_share(one[name]) for name in ("candidates", "page", "kept")]
            place = "–" if one["place"] is None else f"{one['place']:.1f}"
            table.add_row(f"{label} ({one['searches']:,})", Text(str(result[side])), *shares, place)
    return table


def power_lines(power: Mapping[str, Any], *, searches: int) -> list[str]:
    """Say what a test of so many searches can see."""
    names = {"purchase_rate": "search purchase rate", "conversion": "site-wide conversion"}
    return [
        f"Power, {names[key]} ({one['rate']:.2%} in a pilot of {one['pilot_searches']:,} searches): {searches:,} "
        f"searches find a lift of {one['minimal_lift']:.1%} 4 times out of 5; one of {one['expected_lift']:.2%} they "
        f"find with a chance of {one['chance']:.0%}, and {one['searches_needed']:,} 4 times out of 5."
        for key, one in power.items()
    ]


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _add_lift(table: Table, name: str, one: Mapping[str, Any]) -> None:
    rates = (_rate(one[side]) for side in ("a", "b"))
    cells = [name, *rates, _lift(one), _p(one["p"]), *([_lift(one["adds"])] if "adds" in one else [])]
    table.add_row(*(Text(cell) for cell in cells))


def _rate(arm: Mapping[str, Any]) -> str:
    return "–" if arm["value"] is None else f"{arm['value']:.2%}\nof {arm['chances']:,}"


def _lift(one: Mapping[str, Any]) -> str:
    return "–" if one["value"] is None else f"{one['value']:+.1%}\n[{one['low']:+.1%}, {one['high']:+.1%}]"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _p(p: float | None) -> str:
    if p is None:
        return "–"
    return "<0.001" if p < 0.001 else f"{p:.3f}"
