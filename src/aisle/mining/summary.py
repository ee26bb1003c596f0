"""What mining found, as plain values for the summary."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import duckdb

from aisle.mining.database import run_sql
from aisle.mining.windows import Windows

__all__ = ["BANDS", "summarise"]

BANDS = ("head", "torso", "tail", "unseen")
"""Bands of query frequency: thirds of the searches, and queries that were not searched before."""

_STAGES = ("clicked", "favorited", "carted", "ordered")


def summarise(
    connection: duckdb.DuckDBPyConnection,
    windows: Windows,
    parameters: Mapping[str, object],
    *,
    says_exposure: bool,
) -> dict[str, Any]:
    """Count where every input row went, and what each split and band holds.

    Args:
        connection: After `examples.sql` of every split.
        windows: The boundaries.
        parameters: Settings and paths, by the names that the SQL files give them.
        says_exposure: Whether impressions tell which part of the logging policy showed them.

    Returns:
        `windows`; the sections `searches`, `impressions`, `action_times` and `events`, each of which adds up to its
        `rows`; `queries`, `products`, `histories`; figures of each split, in all and by band; and `exposures`.
    """
    sections: dict[str, dict[str, int]] = defaultdict(dict)
    cells: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for section, split, band, name, amount in run_sql(connection, "summary", parameters).fetchall():
        if split is None:
            sections[section][name] = int(amount)
        else:
            cells[split, band][name] = int(amount)
    summary: dict[str, Any] = {"windows": windows.as_dict(), **sections}
    summary["splits"] = {split: _split(split, cells) for split in ("train", "validation", "test")}
    if says_exposure:
        summary["exposures"] = _exposures(run_sql(connection, "exposures", parameters).fetchall())
    return summary


def _split(split: str, cells: Mapping[tuple[str, str], Mapping[str, int]]) -> dict[str, Any]:
    parts = {band: dict(cells[split, band]) for band in BANDS if (split, band) in cells}
    total: dict[str, int] = defaultdict(int)
    for part in parts.values():
        for name, amount in part.items():
            total[name] += amount
    figures = _figures(total)
    figures["new_query_share"] = _share(parts.get("unseen", {}).get("searches", 0), total["searches"])
    return {**figures, "bands": {band: _figures(defaultdict(int, part)) for band, part in parts.items()}}


def _figures(counts: Mapping[str, int]) -> dict[str, Any]:
    positives = sum(counts[stage] for stage in _STAGES)
    return {
        "searches": counts["searches"],
        "skipped": counts["skipped"],
        **{stage: counts[stage] for stage in _STAGES},
        "assisted": counts["assisted"],
        "repeat_orders": counts["repeat_orders"],
        "searches_with_positive": counts["searches_with_positive"],
        "positives_per_search": _share(positives + counts["assisted"], counts["searches"]),
        "cold_positive_share": _share(counts["cold_positives"], positives + counts["assisted"]),
    }


def _exposures(rows: Iterable[tuple[str, int, int, int]]) -> dict[str, dict[str, float]]:
    found = [(name, numbers) for name, *numbers in rows]
    totals = [sum(numbers[place] for _, numbers in found) for place in range(3)]
    kinds = ("impression_share", "click_share", "order_share")
    return {
        str(name): {kind: _share(number, total) for kind, number, total in zip(kinds, numbers, totals, strict=True)}
        for name, numbers in found
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
