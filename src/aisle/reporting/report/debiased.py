"""Recall freed of what the logging search preferred, beside what the log says as it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aisle.core.intervals import Band, IntervalRow, interval_table
from aisle.reporting.report.section import Made, Section, mark_of, paragraph, per_cent, share

__all__ = ["debiased_section"]

_ALL = Band(0.0, 1.0)
_SERIES = ("as logged", "debiased")
_COVERAGE = "coverage@"


def debiased_section(evaluations: Sequence[Mapping[str, Any]], *, made: Sequence[Made]) -> Section | None:
    """Tell of debiased recall; None where no evaluation measured it.

    Args:
        evaluations: As `aisle evaluate` kept them, with `split`.
        made: Where each of them comes from.
    """
    pairs = [(one, how) for one, how in zip(evaluations, made, strict=True) if one.get("debiased")]
    if not pairs:
        return None
    body = "\n".join(_measured(one) for one, _ in pairs)
    findings = tuple(_finding(one) for one, _ in pairs if one["split"] == "test")
    is_simulated = any(one["simulated"] for one, _ in pairs)
    title = "What the log says of systems that did not make it"
    return Section("debiased", title, body, findings, tuple(how for _, how in pairs), is_simulated=is_simulated)


def _measured(one: Mapping[str, Any]) -> str:
    found = one["debiased"]
    measures = next(iter(found["plain"].values()))
    return "\n".join([*(_table(one, name) for name in measures), *map(paragraph, _notes(found))])


def _table(one: Mapping[str, Any], measure: str) -> str:
    found = one["debiased"]
    coverage_name, coverage = _coverage(found)
    rows = [
        IntervalRow(
            system,
            tuple(
                mark_of(found[kind][system][measure], series=number)
                for number, kind in enumerate(("plain", "debiased"))
            ),
            note=f"{coverage_name} {per_cent(coverage[system])}",
        )
        for system in found["plain"]
    ]
    simulated = " (simulated)" if one["simulated"] else ""
    asked = f"{found['positives']:,} clicks and orders of {found['searches']:,} {one['split']} searches{simulated}"
    caption = f"{measure} of {asked}: as they stand, and each weighed by 1/propensity."
    return interval_table(rows, caption=caption, head="system", show=share, series=_SERIES, band=_ALL)


def _coverage(found: Mapping[str, Any]) -> tuple[str, Mapping[str, float]]:
    name = next(name for name in found if name.startswith(_COVERAGE))
    return name, found[name]


def _notes(found: Mapping[str, Any]) -> list[str]:
    return [
        f"The weighed clicks and orders are worth {found['effective_positives']:,.0f} of equal weight; no weight "
        f"counts more than {found['max_weight']:g}, which cut {per_cent(found['clipped_share'])} of them. The log "
        f"tells the propensity of {per_cent(found['propensity_told_share'])} of them; the part of the place on the "
        "page is estimated.",
        f"Under each system stands what share of its first products the searches' own pages had shown: of what was "
        f"never shown a log cannot tell. Below {found['min_coverage']:g} a system is refused.",
    ]


def _finding(one: Mapping[str, Any]) -> str:
    found = one["debiased"]
    main = list(next(iter(found["plain"].values())))[-1]
    told = ", ".join(
        f"{system} {share(values[main]['value'])} (as logged {share(found['plain'][system][main]['value'])})"
        for system, values in found["debiased"].items()
    )
    simulated = " (simulated)" if one["simulated"] else ""
    return f"Freed of what the logging search preferred, {main} of clicks and orders{simulated} is {told}."
