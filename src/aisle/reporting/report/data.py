"""What the shop's data are: tables, windows of time, bands of queries, rows that were set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aisle.core.charts import Series, bar_chart
from aisle.core.page import figure
from aisle.reporting.report.section import Made, Section, day, paragraph, per_cent, table

__all__ = ["TableRows", "data_section"]

_SPLITS = ("train", "validation", "test")
_COUNTS = ("searches", "clicked", "favorited", "carted", "ordered", "assisted", "repeat_orders")
_NOT_MINED = "The log was not mined: windows of time and bands of queries are not known."


@dataclass(frozen=True)
class TableRows:
    """How many rows of a table are used, and how many were set aside."""

    name: str
    rows: int
    quarantined: int = 0


def data_section(
    tables: Sequence[TableRows], mined: Mapping[str, Any] | None, *, made: Sequence[Made], has_log: bool
) -> Section:
    """Tell of the data.

    Args:
        tables: Those that are there.
        mined: Summary of the mined log; None where none was mined.
        made: Where they come from.
        has_log: Whether there are searches that could be mined.
    """
    key, title = "data", "Data"
    if not tables:
        return Section(key, title, missing="No table was imported.", command="aisle import --products FILE")
    parts = [_tables(tables), paragraph(_set_aside(tables))]
    if mined is not None:
        parts += _log(mined)
    elif has_log:
        parts.append(paragraph(f"{_NOT_MINED} Mine it with aisle mine."))
    return Section(key, title, "\n".join(parts), findings=(_finding(tables, mined),), made=tuple(made))


def _tables(tables: Sequence[TableRows]) -> str:
    rows = [(one.name, f"{one.rows:,}", f"{one.quarantined:,}") for one in tables]
    return table(("table", "rows", "set aside"), rows, caption="Tables")


def _set_aside(tables: Sequence[TableRows]) -> str:
    bad = [one for one in tables if one.quarantined]
    if not bad:
        return "No row was set aside."
    told = ", ".join(f"{one.quarantined:,} of {one.name}" for one in bad)
    return f"Rows that broke a rule were set aside with their reasons, in the table's folder quarantine: {told}."


def _log(mined: Mapping[str, Any]) -> list[str]:
    splits = {name: mined["splits"][name] for name in _SPLITS}
    counts = [name for name in _COUNTS if name in splits["train"]]
    rows = [(name.replace("_", " "), *(f"{one[name]:,}" for one in splits.values())) for name in counts]
    rows.append(("queries never searched before", *(per_cent(one["new_query_share"]) for one in splits.values())))
    windows = mined["windows"]
    starts = [*windows["slice_starts"], windows["train_end"]]
    told = (
        f"Learnt from {day(starts[0])} to {day(windows['train_end'])} in {windows['slices']} slices, validated to "
        f"{day(windows['test_from'])}, tested on what came after. Clicked, carted and so on count products; assisted "
        f"are those of a later search of the same session."
    )
    split_table = table(("what", *_SPLITS), rows, caption="The mined log by window of time")
    return [paragraph(told), split_table, '<div class="charts">', _bands(splits), _stages(splits), "</div>"]


def _bands(splits: Mapping[str, Mapping[str, Any]]) -> str:
    bands = list(splits["train"]["bands"])
    series = []
    for name, split in splits.items():
        total = max(split["searches"], 1)
        known = [(place, split["bands"].get(band, {}).get("searches", 0) / total) for place, band in enumerate(bands)]
        series.append(Series(name, tuple(known)))
    svg = bar_chart(series, groups=bands, x_label="band of the query", y_label="share of searches", percent=True)
    caption = (
        "The most frequent queries, which make a third of the searches learnt from, are the head, the next third the "
        "torso, the rest the tail; unseen queries were not searched before."
    )
    return figure("Searches by band", svg, caption, level=3)


def _stages(splits: Mapping[str, Mapping[str, Any]]) -> str:
    stages = ("clicked", "favorited", "carted", "ordered")
    series = [
        Series(name, tuple((place, split[stage] / max(split["searches"], 1)) for place, stage in enumerate(stages)))
        for name, split in splits.items()
    ]
    svg = bar_chart(series, groups=stages, x_label="furthest stage", y_label="products per search")
    return figure("What searches led to", svg, "A product counts at the furthest stage that it reached.", level=3)


def _finding(tables: Sequence[TableRows], mined: Mapping[str, Any] | None) -> str:
    rows = {one.name: one.rows for one in tables}
    told = [f"{rows.get('products', 0):,} products"]
    told += [f"{rows[name]:,} {name}" for name in ("searches", "judgments") if name in rows]
    if mined is not None:
        ordered = sum(mined["splits"][name]["ordered"] for name in _SPLITS)
        told.append(f"{ordered:,} ordered products within them")
    return f"The data: {', '.join(told)}."
