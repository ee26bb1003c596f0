"""What each ingredient earns: the ablation's differences, its means, and published claims beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aisle.core.intervals import IntervalRow, interval_table
from aisle.reporting.report.evaluation import main_measure
from aisle.reporting.report.section import (
    Made,
    Section,
    details,
    mark_of,
    p_value,
    paragraph,
    share,
    signed,
    signed_per_cent,
    table,
)

__all__ = ["ablation_section"]

_COMPARED = "baseline_minus_this"
_SURE = 0.05


def ablation_section(
    ablation: Mapping[str, Any] | None, tables: Sequence[Mapping[str, Any]], *, made: Sequence[Made]
) -> Section:
    """Tell of an ablation.

    Args:
        ablation: `ablation.json` as `aisle ablate` wrote it; None where there is none.
        tables: Its tables for people.
        made: Where it comes from.
    """
    key, title = "ablation", "What each ingredient earns"
    if ablation is None:
        return Section(key, title, missing="No ablation was run.", command="aisle ablate")
    main = main_measure(list(ablation["rows"][0]["measures"]))
    seeds = f"{ablation['seeds']} seed{'s' if ablation['seeds'] != 1 else ''}"
    told = f"{ablation['searches']:,} test searches with {ablation['labelled']}; {seeds} of what is trained."
    parts = [paragraph(told), _differences(ablation, main), _means(ablation, main)]
    if ablation["claims"]:
        parts.append(_claims(ablation["claims"]))
    # The first two tables, and that of claims, are what is drawn above.
    others = [one for one in tables if "published" not in one["header"]]
    parts.append(details("All measures and slices", "\n".join(map(_table, others))))
    finding = _finding(ablation, main)
    return Section(key, title, "\n".join(parts), (finding,), tuple(made), is_simulated=bool(ablation["simulated"]))


def _compared_rows(ablation: Mapping[str, Any], main: str) -> list[tuple[str, str, Mapping[str, Any]]]:
    return [
        (row["name"], row["baseline"], row["measures"][main][_COMPARED])
        for row in ablation["rows"]
        if _COMPARED in row["measures"][main]
    ]


def _finding(ablation: Mapping[str, Any], main: str) -> str:
    rows = _compared_rows(ablation, main)
    sure = [(name, one) for name, _, one in rows if one["p_holm"] is not None and one["p_holm"] < _SURE]
    simulated = "Simulated ablation" if ablation["simulated"] else "Ablation"
    if not sure:
        return f"{simulated}: none of {len(rows)} rows can be told apart from its baseline by {main}."
    told = ", ".join(f"{name} {signed(-one['difference'])}" for name, one in sure)
    return f"{simulated}: of {len(rows)} rows, {len(sure)} differ from their baseline by {main}: {told}."


def _differences(ablation: Mapping[str, Any], main: str) -> str:
    rows = [
        IntervalRow(name, (mark_of(one, key="difference", note=p_value(one["p_holm"])),), note=f"against {baseline}")
        for name, baseline, one in _compared_rows(ablation, main)
    ]
    caption = (
        f"{main}: what the baseline has more than the row, with 95 % intervals over searches: to the right of the "
        "dashed line, what the row lacks earns. Hollow: the interval holds 0. p: corrected by Holm over the rows."
    )
    return interval_table(rows, caption=caption, head="row", show=signed, reference=0.0)


def _means(ablation: Mapping[str, Any], main: str) -> str:
    rows = []
    for row in ablation["rows"]:
        values = row["measures"][main]
        low, high = values["seeds"]
        note = f"seeds {share(low)} to {share(high)}" if row["seeds"] > 1 else ""
        rows.append(IntervalRow(row["name"], (mark_of(values),), note=note))
    return interval_table(rows, caption=f"{main} of every row, with 95 % intervals.", head="row", show=share)


def _claims(claims: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for one in claims:
        lift = one["measured_lift"]
        measured = f"{signed_per_cent(lift['value'])} [{signed_per_cent(lift['low'])}, {signed_per_cent(lift['high'])}]"
        told = f"{one['claim']} ({one['source']}; {one['note']})"
        published = "" if one["lift"] is None else signed_per_cent(one["lift"])
        rows.append((one["row"], told, f"{one['measure']}, {one['slice']}", published, measured, _agreement(one)))
    header = ("row", "claim", "measure", "published", "measured lift", "sign")
    return table(header, rows, caption="Published claims beside what was measured", numbers_from=6)


def _agreement(one: Mapping[str, Any]) -> str:
    if one["holds_figure"] is None:
        return str(one["sign"])
    return f"{one['sign']}; figure {'inside' if one['holds_figure'] else 'outside'} the interval"


def _table(one: Mapping[str, Any]) -> str:
    return table(one["header"], one["rows"], caption=one["title"])
