"""What boosting by quality earns: its weights, and its gain on validation and on the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aisle.core.intervals import IntervalRow, interval_table
from aisle.reporting.report.section import Made, Section, mark_of, p_value, paragraph, signed, table

__all__ = ["boost_section"]

_MAIN = "R@100"
_SEARCHES = "searches"


def boost_section(boost: Mapping[str, Any] | None, *, made: Sequence[Made]) -> Section:
    """Tell of a boost.

    Args:
        boost: Summary of the artefact `boost`; None where none was looked for.
        made: Where it comes from.
    """
    key, title = "boost", "Boosting by quality"
    if boost is None or boost["off"]:
        told = "No boost was looked for." if boost is None else "The boost was taken away."
        return Section(key, title, missing=told, command="aisle boost")
    verdict = f"The boost is {'kept' if boost['kept'] else 'not kept'}: {boost['reason'].rstrip('.')}."
    parts = [paragraph(verdict), _weights(boost["weights"])]
    gain = boost["validation"]["gain"]
    if gain is not None:
        caption = f"Gain on {boost['validation']['searches']:,} validation searches, by measure."
        parts.append(_gains([(name, values, "") for name, values in gain.items()], caption=caption, head="measure"))
    parts += [_test(one, is_simulated=boost["simulated"]) for one in (boost["test"] or {}).values()]
    return Section(key, title, "\n".join(parts), (verdict,), tuple(made), is_simulated=boost["simulated"])


def _test(found: Mapping[str, Any], *, is_simulated: bool) -> str:
    simulated = " (simulated)" if is_simulated else ""
    drawn = []
    for system, slices in found["systems"].items():
        rows = [(name, one[_MAIN], f"{one[_SEARCHES]:,}") for name, one in slices.items() if _MAIN in one]
        caption = f"{_MAIN} that {system} gains on the test window, to be found: {found['labelled']}{simulated}."
        drawn.append(_gains(rows, caption=caption, head="slice"))
    return "\n".join(drawn)


def _weights(weights: Mapping[str, float]) -> str:
    rows = [(name, f"{value:.4f}") for name, value in weights.items()]
    return table(("feature", "weight"), rows, caption="Weights of the features that were known at the end of training")


def _gains(rows: Sequence[tuple[str, Mapping[str, Any], str]], *, caption: str, head: str) -> str:
    drawn = [
        IntervalRow(name, (mark_of(values, key="gain", note=p_value(values["p"])),), note=note)
        for name, values, note in rows
    ]
    caption = f"{caption} Hollow: the interval holds 0."
    return interval_table(drawn, caption=caption, head=head, show=signed, reference=0.0)
