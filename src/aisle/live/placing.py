"""From a ranking to the places that are shown: pinned products first, one of each group, in the order asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import Any

from aisle.live.requests import Sort

__all__ = ["Place", "choose", "in_order"]


@dataclass(frozen=True)
class Place:
    """One product that may be shown.

    Attributes:
        product: Its fields.
        score: Its score; NaN of a pinned one that the ranking does not hold.
        rank: Its place in the ranking, from 0; None where it is not in it.
    """

    product: Mapping[str, Any]
    score: float = nan
    rank: int | None = None

    @property
    def product_id(self) -> str:
        """Id of the product."""
        return str(self.product["product_id"])


def choose(
    pinned: Sequence[Mapping[str, Any]],
    ranked: Sequence[Place],
    *,
    k: int,
    collapse: bool,
    min_score: float | None,
) -> tuple[list[Place], list[Place]]:
    """Choose what is shown.

    Args:
        pinned: Products that stand first, in this order, whatever their score.
        ranked: What was found, best first.
        k: Most places, pinned ones among them.
        collapse: Leave out what shares a `group_id` with one that stands before it.
        min_score: Leave out what has a lower score.

    Returns:
        The pinned places and those behind them.
    """
    by_id = {place.product_id: place for place in ranked}
    first = [by_id.get(str(product["product_id"]), Place(product)) for product in pinned][:k]
    shown = {place.product_id for place in first}
    rest = [place for place in ranked if place.product_id not in shown]
    if min_score is not None:
        rest = [place for place in rest if place.score >= min_score]
    if collapse:
        seen = {place.product.get("group_id") for place in first}
        rest = _first_of_groups(rest, seen)
    return first, rest[: k - len(first)]


def in_order(places: Sequence[Place], sort: Sort) -> list[Place]:
    """Sort places; what lacks the value that is sorted by stands last, and equal ones by relevance."""
    if sort == "relevance":
        return list(places)
    name = "created_at" if sort == "newest" else "price"
    known = [place for place in places if place.product.get(name) is not None]
    known.sort(key=lambda place: place.product[name], reverse=sort != "price_asc")
    return known + [place for place in places if place.product.get(name) is None]


def _first_of_groups(places: Sequence[Place], seen: set[str | None]) -> list[Place]:
    kept = []
    for place in places:
        group = place.product.get("group_id")
        if group is None or group not in seen:
            kept.append(place)
        seen.add(group)
    return kept
