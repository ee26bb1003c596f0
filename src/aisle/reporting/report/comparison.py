"""Two systems query by query: where they differ, and on which queries most, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from aisle.core.intervals import IntervalRow, interval_table
from aisle.reporting.report.section import Made, Section, details, mark_of, p_value, paragraph, signed, table

__all__ = ["comparison_section"]

_ALL = "all"


def comparison_section(comparisons: Sequence[Mapping[str, Any]], *, made: Sequence[Made]) -> Section:
    """Tell of comparisons.

    Args:
        comparisons: As `aisle compare` kept them.
        made: Where they come from.
    """
    key, title = "comparison", "Two systems, query by query"
    if not comparisons:
        return Section(key, title, missing="No two systems were compared.", command="aisle compare lexical hybrid")
    body = "\n".join(_comparison(one) for one in comparisons)
    findings = tuple(_finding(one) for one in comparisons)
    return Section(key, title, body, findings, tuple(made), is_simulated=any(one["simulated"] for one in comparisons))


def _finding(one: Mapping[str, Any]) -> str:
    counts, simulated = one["queries_by_first_measure"], " (simulated truth)" if one["simulated"] else ""
    return (
        f"By {one['measures'][0]}, {one['second']} is better than {one['first']} on {counts['better']:,} queries, "
        f"worse on {counts['worse']:,}, alike on {counts['alike']:,}{simulated}."
    )


def _comparison(one: Mapping[str, Any]) -> str:
    measure = one["measures"][0]
    parts = [f"<h3>{escape(one['second'])} against {escape(one['first'])}</h3>", paragraph(_finding(one))]
    parts.append(_by_slice(one, measure))
    parts.append(details("All measures", _all_measures(one)))
    for heading, key in (("Biggest wins", "wins"), ("Biggest losses", "losses")):
        if one[key]:
            sentences = "\n".join(f"<li>{_sentence(change, one, measure=measure)}</li>" for change in one[key])
            parts.append(f'<h4>{heading} of {escape(one["second"])}</h4>\n<ul class="changes">\n{sentences}\n</ul>')
    return "\n".join([*parts, *map(paragraph, one["notes"])])


def _by_slice(one: Mapping[str, Any], measure: str) -> str:
    rows = []
    for name, found in one["slices"].items():
        values = found["measures"][measure]
        mark = mark_of(values, key="difference", note=p_value(values["corrected_p"]))
        rows.append(IntervalRow(name, (mark,), note=f"{found['queries']:,}"))
    caption = (
        f"{measure} of {one['second']} minus {one['first']}, on queries with {one['labelled']}. Hollow: the interval "
        f"holds 0. p: paired randomisation test, corrected by Holm for {one['tests']} comparisons."
    )
    return interval_table(rows, caption=caption, head="slice", show=signed, reference=0.0)


def _all_measures(one: Mapping[str, Any]) -> str:
    rows = [
        (name, *(_cell(found["measures"][measure]) for measure in one["measures"]))
        for name, found in one["slices"].items()
    ]
    return table(("slice", *one["measures"]), rows, caption=f"{one['first']} → {one['second']} (corrected p)")


def _cell(values: Mapping[str, Any]) -> str:
    if values["difference"] is None:
        return "–"
    return f"{values['first']:.3f} → {values['second']:.3f} ({p_value(values['corrected_p'])})"


def _sentence(change: Mapping[str, Any], one: Mapping[str, Any], *, measure: str) -> str:
    """Tell in words what was missed and what came instead; HTML, escaped."""
    is_win = change["difference"] > 0
    sides = (one["first"], one["second"])
    places = (change["first_place"], change["second_place"])
    (missed, found), (worse, better) = (sides, places) if is_win else (sides[::-1], places[::-1])
    kind = f" ({escape(change['slice'])})" if change["slice"] else ""
    instead = "; ".join(map(_quoted, change["instead"])) or "nothing"
    return (
        f"<strong>“{escape(change['query'])}”</strong>{kind}, {escape(measure)} {signed(change['difference'])}: "
        f"{escape(missed)} missed {_quoted(change['product'])} ({_place(worse)}; {escape(found)}: {_place(better)}). "
        f"{escape(missed)} showed instead: {instead}."
    )


def _quoted(product: Mapping[str, str]) -> str:
    return f"“{escape(product['title'])}”" if product["title"] else escape(product["product_id"])


def _place(place: int | None) -> str:
    return "not retrieved" if place is None else f"place {place:,}"
