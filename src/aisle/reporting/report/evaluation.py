"""How well the systems find: every kept evaluation with its intervals, by slice, and pair by pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    signed,
    table,
)

__all__ = ["evaluation_section", "main_measure"]

_MAIN = "R@100"
_ALL = Band(0.0, 1.0)
_ASKED = {"judgments": "queries", "log": "searches", "truth": "searches"}
_ORDER = ("truth", "log", "judgments")


def main_measure(measures: Sequence[str]) -> str:
    """Return the measure that slices are shown by.

    >>> main_measure(["R@10", "R@100"]), main_measure(["MRR"])
    ('R@100', 'MRR')
    """
    return _MAIN if _MAIN in measures else measures[0]


def evaluation_section(evaluations: Sequence[Mapping[str, Any]], *, made: Sequence[Made]) -> Section:
    """Tell of evaluations.

    Args:
        evaluations: As `aisle evaluate` kept them, with `split`.
        made: Where they come from.
    """
    key, title = "evaluation", "What the systems find"
    if not evaluations:
        return Section(key, title, missing="Nothing was evaluated.", command="aisle evaluate")
    inner = sorted(evaluations, key=lambda one: (one["split"] != "test", _ORDER.index(one["labels"])))
    findings = tuple(_finding(one) for one in inner if one["split"] == "test")
    body = "\n".join(_evaluation(one) for one in inner)
    return Section(key, title, body, findings, tuple(made), is_simulated=any(one["simulated"] for one in inner))


def _told(one: Mapping[str, Any]) -> str:
    simulated = " (simulated)" if one["simulated"] else ""
    return f"{one['queries']:,} {one['split']} {_ASKED[one['labels']]} with {one['labelled']}{simulated}"


def _finding(one: Mapping[str, Any]) -> str:
    main = main_measure(one["measures"])
    told = [
        f"{name} {share(values[main]['value'])}" for name, values in one["systems"].items() if _is_known(values[main])
    ]
    ends = [
        f"; {_pair(pair)} {signed(values[main]['difference'])} "
        f"[{signed(values[main]['low'])}, {signed(values[main]['high'])}]"
        for pair, values in list(one["paired"].items())[:2]
        if values[main].get("low") is not None
    ]
    return f"On {_told(one)}, {main} is {', '.join(told)}{''.join(ends)}."


def _is_known(values: Mapping[str, Any]) -> bool:
    return values.get("value") is not None


def _pair(pair: str) -> str:
    return pair.replace(" - ", " − ")


def _evaluation(one: Mapping[str, Any]) -> str:
    measures, systems = one["measures"], list(one["systems"])
    main = main_measure(measures)
    told = _told(one)
    parts = [
        f"<h3>{_heading(one)}</h3>",
        _by_measure(one, measures, systems, told),
        _differences(one, measures),
    ]
    if one["by"]:
        parts.append(_by_slice(one, systems, main))
        parts.append(details("All measures of all slices", _all_slices(one, measures)))
    return "\n".join([*parts, *map(paragraph, _notes(one))])


def _heading(one: Mapping[str, Any]) -> str:
    names = {"truth": "Against the truth (simulated)", "log": "Against logged orders", "judgments": "Against judgments"}
    split = "" if one["split"] == "test" else f", {one['split']}"
    return f"{names[one['labels']]}{split}"


def _by_measure(one: Mapping[str, Any], measures: Sequence[str], systems: Sequence[str], told: str) -> str:
    rows = [
        IntervalRow(name, tuple(mark_of(one["systems"][system][name], series=n) for n, system in enumerate(systems)))
        for name in measures
    ]
    caption = f"{told}, whole catalogue: means with 95 % bootstrap intervals over queries."
    return interval_table(rows, caption=caption, head="measure", show=share, series=systems, band=_ALL)


def _by_slice(one: Mapping[str, Any], systems: Sequence[str], main: str) -> str:
    rows = []
    for name, summary in one["by"].items():
        values = (summary["systems"].get(system, {}).get(main, {}) for system in systems)
        marks = tuple(mark_of(value, series=number) for number, value in enumerate(values))
        rows.append(IntervalRow(name, marks, note=f"{summary['queries']:,}"))
    caption = f"{main} by slice, with the number of {_ASKED[one['labels']]} under its name."
    return interval_table(rows, caption=caption, head="slice", show=share, series=systems, band=_ALL)


def _differences(one: Mapping[str, Any], measures: Sequence[str]) -> str:
    rows = [
        IntervalRow(
            _pair(pair),
            tuple(
                mark_of(values[name], key="difference", series=number, note=p_value(values[name]["p"]))
                for number, name in enumerate(measures)
            ),
        )
        for pair, values in one["paired"].items()
    ]
    if not rows:
        return ""
    caption = "Paired differences on the same queries. Hollow: the interval holds 0. p: sign-flip test, uncorrected."
    return interval_table(rows, caption=caption, head="pair", show=signed, series=list(measures), reference=0.0)


def _all_slices(one: Mapping[str, Any], measures: Sequence[str]) -> str:
    rows = []
    for name, summary in one["by"].items():
        for system, values in summary["systems"].items():
            cells = (_cell(values[measure]) for measure in measures)
            rows.append((name, f"{summary['queries']:,}", system, *cells))
    header = ("slice", "queries", "system", *measures)
    return table(header, rows, caption="Means [95 % interval] by slice", numbers_from=3)


def _cell(values: Mapping[str, Any]) -> str:
    if not _is_known(values):
        return "–"
    has_interval = values["low"] is not None
    return share(values["value"]) + (f" [{share(values['low'])}, {share(values['high'])}]" if has_interval else "")


def _notes(one: Mapping[str, Any]) -> list[str]:
    hybrid = one["hybrid"]
    notes = [f"Hybrid: {hybrid['fusion']}, semantic weight {hybrid['semantic_weight']:g} ({hybrid['weight_from']})."]
    if one.get("relevance"):
        notes.append(_relevance(one["relevance"]))
    if one.get("debiased"):
        notes.append("Debiased recall was measured too: it has a section of its own.")
    if one.get("shown_by"):
        shares = ", ".join(f"{part} {per_cent(value)}" for part, value in one["shown_by"].items())
        notes.append(
            f"These {one['labelled']} by the part of the logging policy that had shown the product: {shares}. "
            "Logged orders favour whatever was shown."
        )
    if one.get("trusted_quality"):
        notes.append("Measured with quality values that are undated, or younger than the searches (--trust-quality).")
    if one.get("judged_products_not_in_catalogue"):
        number = one["judged_products_not_in_catalogue"]
        notes.append(f"{number:,} judged products are not in the catalogue; they count as missed.")
    return notes


def _relevance(found: Mapping[str, Any]) -> str:
    name = found["measure"]
    values = ", ".join(f"{system} {_cell(one[name])}" for system, one in found["systems"].items())
    return f"Relevance beside sales, {name} of {found['queries']:,} queries by {found['graded_by']}: {values}."
