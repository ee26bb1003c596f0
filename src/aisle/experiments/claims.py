"""What the papers claim of their ingredients beside what was measured, and whether it agrees."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

from aisle.experiments.ablation import ALL, RowResult

__all__ = ["Claim", "Held", "hold_against", "published_claims"]

Agreement = Literal["agrees", "not told apart from 0", "disagrees"]


@dataclass(frozen=True)
class Claim:
    """One published claim.

    Attributes:
        row: The row that lacks the ingredient; its baseline has it.
        measure: What is claimed of.
        claim: In words.
        source: Who says it.
        note: Where it does not mean quite the same as ours.
        slice: The searches it is claimed of.
        lift: How much more the model with the ingredient has, as a share of the one without; None: only that it has.
    """

    row: str
    measure: str
    claim: str
    source: str
    note: str
    slice: str = ALL
    lift: float | None = None


@dataclass(frozen=True)
class Held:
    """A claim beside what was measured.

    Attributes:
        claim: The claim.
        lift: What the baseline had more than the row, as a share of the row's mean.
        low: Lower bound of its 95 % interval: that of the difference, divided by the row's mean.
        high: Upper bound.
        sign: Whether the difference has the claimed sign, by its interval.
        holds_figure: Whether the published figure lies in the measured interval; None where there is no figure.
    """

    claim: Claim
    lift: float
    low: float
    high: float
    sign: Agreement
    holds_figure: bool | None

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        measured = {"value": self.lift, "low": self.low, "high": self.high}
        return {**vars(self.claim), "measured_lift": measured, "sign": self.sign, "holds_figure": self.holds_figure}


def published_claims() -> list[Claim]:
    """Return the published claims that come with Aisle."""
    content = tomllib.loads((files("aisle.experiments") / "data" / "published.toml").read_text(encoding="utf-8"))
    return [Claim(**one) for one in content["claims"]]


def hold_against(claims: Sequence[Claim], rows: Sequence[RowResult], *, labels: str) -> list[Held]:
    """Hold claims against what was measured; those of rows or slices that were not measured are left out."""
    found = []
    results = {row.runs.name: row.results[labels] for row in rows}
    for claim in claims:
        cell = results.get(claim.row, {}).get(claim.slice, {}).get(claim.measure)
        if cell is None or cell.compared is None or cell.value <= 0:
            continue
        lift, low, high = (getattr(cell.compared, name) / cell.value for name in ("difference", "low", "high"))
        holds = None if claim.lift is None else low <= claim.lift <= high
        found.append(Held(claim, lift, low, high, _sign(low, high), holds))
    return found


def _sign(low: float, high: float) -> Agreement:
    if low > 0:
        return "agrees"
    return "disagrees" if high < 0 else "not told apart from 0"
