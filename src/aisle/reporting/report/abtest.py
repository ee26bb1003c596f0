"""A/B tests in the simulated marketplace: lifts, where they come from, day by day, and what was on offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from aisle.core.intervals import Band, IntervalRow, interval_table
from aisle.reporting.report.section import (
    Made,
    Section,
    details,
    mark_of,
    p_value,
    paragraph,
    per_cent,
    share,
    signed_per_cent,
    table,
)

__all__ = ["LiveLifts", "abtest_section"]

_METRICS = {
    "purchase_rate_lift": "search purchase rate",
    "conversion_lift": "site-wide conversion",
    "click_rate_lift": "searches with a click",
}
_RATES = {"purchase_rate": "search purchase rate", "conversion": "site-wide conversion"}
_SHARES = ("candidates", "page", "kept")
_LEVEL = "0.05"
_WIDEST = 3.0
"""Times the widest interval of the last day that the day-by-day axis shows: first days are wider than any screen."""


@dataclass(frozen=True)
class LiveLifts:
    """Lifts that were published of a live test, as shares."""

    purchase_rate: float
    conversion: float
    source: str


def abtest_section(tests: Sequence[Mapping[str, Any]], *, live: LiveLifts, made: Sequence[Made]) -> Section:
    """Tell of A/B tests.

    Args:
        tests: As `aisle abtest` wrote them.
        live: What a live test published, to stand beside them.
        made: Where they come from.
    """
    key, title = "abtest", "A/B tests (simulated)"
    if not tests:
        return Section(
            key, title, missing="No A/B test was simulated.", command="aisle abtest lexical hybrid --searches 200000"
        )
    body = "\n".join(_test(one, live) for one in tests)
    findings = tuple(_finding(one) for one in tests if "purchase_rate_lift" in one)
    return Section(key, title, body, findings, tuple(made), is_simulated=True)


def _finding(one: Mapping[str, Any]) -> str:
    told = [f"{name} {_lift(one[key])}" for key, name in _METRICS.items() if key != "click_rate_lift"]
    return f"Simulated A/B test of {one['b']} against {one['a']}, {one['searches']:,} searches: {', '.join(told)}."


def _lift(values: Mapping[str, Any]) -> str:
    if values["value"] is None:
        return "not defined"
    low, high = signed_per_cent(values["low"]), signed_per_cent(values["high"])
    return f"{signed_per_cent(values['value'])} [{low}, {high}]"


def _test(one: Mapping[str, Any], live: LiveLifts) -> str:
    has_trial = "purchase_rate_lift" in one
    heading = f"{one['b']} against {one['a']}" if has_trial else f"{one['a']} against itself"
    parts = [f"<h3>{escape(heading)}</h3>"]
    if has_trial:
        searches, days = one["searches"], len(one["looks"])
        told = f"{searches:,} simulated searches within {days} days, shoppers split at random, one ranker behind both."
        parts += [paragraph(told), _lifts(one, "Lift of B over A, with 95 % intervals."), _beside(live)]
        parts += [_bands(one), _days(one["looks"]), details("What was on the page", _funnel(one))]
    if "paired" in one:
        caption = "The same shoppers, with the same needs, meet both: as only a simulation can. 95 % intervals."
        parts += [_lifts(one["paired"], caption), _bands(one["paired"])]
    parts += [paragraph(line) for line in _power(one)]
    if "aa_runs" in one:
        parts.append(paragraph(_aa(one)))
    return "\n".join(parts)


def _lifts(values: Mapping[str, Any], caption: str) -> str:
    rows = [
        IntervalRow(
            name,
            (mark_of(values[key], note=p_value(values[key]["p"])),),
            note=f"{_rate(values[key]['a'])} → {_rate(values[key]['b'])}",
        )
        for key, name in _METRICS.items()
    ]
    return interval_table(rows, caption=caption, head="what", show=signed_per_cent, reference=0.0)


def _beside(live: LiveLifts) -> str:
    return paragraph(
        f"Published, live: search purchase rate {signed_per_cent(live.purchase_rate)}, site-wide conversion "
        f"{signed_per_cent(live.conversion)} ({live.source}). What is simulated says what would happen in this "
        "marketplace, not in a shop."
    )


def _rate(arm: Mapping[str, Any]) -> str:
    return "–" if arm["value"] is None else per_cent(arm["value"])


def _bands(values: Mapping[str, Any]) -> str:
    if not values["bands"]:
        return ""
    rows: list[IntervalRow] = []
    parts: list[IntervalRow] = []
    for name, one in values["bands"].items():
        note = f"{_rate(one['a'])} → {_rate(one['b'])}"
        rows.append(IntervalRow(name, (mark_of(one, note=p_value(one["p"])),), note=note))
        if "adds" in one:
            parts.append(IntervalRow(name, (mark_of(one["adds"]),)))
    caption = "Lift of the search purchase rate by band of the query."
    told = interval_table(rows, caption=caption, head="band", show=signed_per_cent, reference=0.0)
    if parts:
        caption = "Where the whole lift comes from: the points that each band adds."
        told += interval_table(parts, caption=caption, head="band", show=signed_per_cent, reference=0.0)
    return told


def _days(looks: Sequence[Mapping[str, Any]]) -> str:
    rows = [
        IntervalRow(f"day {one['day']}", (mark_of(one, note=p_value(one["p"])),), note=f"{one['searches']:,}")
        for one in looks
    ]
    last = looks[-1]
    band = None
    if last["low"] is not None:
        reach = _WIDEST * max(abs(last["low"]), abs(last["high"]))
        band = Band(-reach, reach)
    caption = (
        "Lift of the search purchase rate as known at the end of each day, with always-valid intervals: whoever looks "
        "may stop. Whiskers that leave the frame are wider."
    )
    return interval_table(rows, caption=caption, head="searches", show=signed_per_cent, reference=0.0, band=band)


def _funnel(one: Mapping[str, Any]) -> str:
    rows = [
        (
            f"{label} ({values['searches']:,})",
            str(one[side]),
            *(_share(values[name]) for name in _SHARES),
            _place(values),
        )
        for label, sides in one["funnel"].items()
        for side, values in sides.items()
    ]
    header = ("searches", "arm", "among candidates", "on the page", "survives the ranker", "best place")
    caption = "What shoppers would have bought (truth), on its way to the page"
    return table(header, rows, caption=caption, numbers_from=2)


def _share(value: float | None) -> str:
    return "–" if value is None else share(value)


def _place(values: Mapping[str, Any]) -> str:
    return "–" if values["place"] is None else f"{values['place']:.1f}"


def _power(one: Mapping[str, Any]) -> list[str]:
    searches = one["config"]["searches"]
    return [
        f"Power, estimated beforehand: {searches:,} searches find a lift of the {_RATES[key]} of "
        f"{signed_per_cent(values['minimal_lift'])} four times out of five; one of "
        f"{signed_per_cent(values['expected_lift'])} they find with a chance of {per_cent(values['chance'])}."
        for key, values in one["power"].items()
    ]


def _aa(one: Mapping[str, Any]) -> str:
    return (
        f"A/A: of {one['aa_runs']:,} splits of {one['aa_searches']:,} recorded searches of {one['a']}, "
        f"{one['aa_rejections']} differ at the level of {_LEVEL}; {0.05 * one['aa_runs']:.0f} are to be expected."
    )
