"""Where between catalogue and page each set-up loses what shoppers wanted: only a simulation can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from aisle.core.ranking import NO_PRODUCT
from aisle.experiments.setups import take_requests
from aisle.simulation import Marketplace, Outcome, RetrievalSetup
from aisle.simulation.environment import FixedRanker
from aisle.simulation.rows import take_rows
from aisle.simulation.truth_set import TrueProducts, find_true_products

__all__ = ["Funnel", "funnels"]


@dataclass(frozen=True)
class Funnel:
    """Means over searches with something to be found.

    Attributes:
        searches: Their number.
        candidates: Share of a search's true products among the candidates.
        page: Share of them that the ranker puts on the page.
        kept: `page` divided by `candidates`: how much of what retrieval brings survives the ranker.
        place: Mean place of the best true product on the page, from 1, where there is one.
    """

    searches: int
    candidates: float
    page: float
    kept: float
    place: float

    def as_dict(self) -> dict[str, object]:
        """Return plain values."""
        return asdict(self)


def funnels(
    market: Marketplace,
    setups: Mapping[str, RetrievalSetup],
    outcome: Outcome,
    *,
    slices: Mapping[str, Bool[np.ndarray, " searches"]],
    most: int = 4_000,
) -> dict[str, dict[str, Funnel]]:
    """Follow the true products of the same searches through each set-up and the fixed ranker.

    Args:
        market: The marketplace, whose truth is read here and handed to nobody.
        setups: By name.
        outcome: A run, of which searches are taken evenly.
        slices: Searches of the run, by name.
        most: Most searches.

    Returns:
        Of each slice with true products ("all" first), the funnel of each set-up.
    """
    rows = np.linspace(0, len(outcome.search_visit) - 1, min(most, len(outcome.search_visit))).astype(np.int64)
    requests, needs = take_requests(outcome.requests, rows), take_rows(outcome.needs, rows)
    truth = find_true_products(market, needs, requests.at)
    ranker = FixedRanker(market)
    found = {}
    for name, setup in setups.items():
        candidates = setup(requests)
        page = ranker.place(requests, candidates).product_index
        found[name] = _Found(_share(truth, candidates), _share(truth, page), _best_place(truth, page))
    wanted = np.bincount(truth.row, minlength=len(rows)) > 0
    masks = {"all": wanted, **{name: wanted & mask[rows] for name, mask in slices.items()}}
    return {label: {name: one.of(mask) for name, one in found.items()} for label, mask in masks.items() if mask.any()}


@dataclass(frozen=True, eq=False)
class _Found:
    candidates: Float64[np.ndarray, " searches"]
    page: Float64[np.ndarray, " searches"]
    place: Float64[np.ndarray, " searches"]

    def of(self, mask: Bool[np.ndarray, " searches"]) -> Funnel:
        candidates, page = float(self.candidates[mask].mean()), float(self.page[mask].mean())
        places = self.place[mask & np.isfinite(self.place)]
        kept = page / candidates if candidates else float("nan")
        place = float(places.mean()) if len(places) else float("nan")
        return Funnel(int(mask.sum()), candidates, page, kept, place)


def _hits(truth: TrueProducts, products: Int64[np.ndarray, "searches places"]) -> Bool[np.ndarray, "found places"]:
    return (products[truth.row] == truth.product_index[:, None]) & (products[truth.row] != NO_PRODUCT)


def _share(truth: TrueProducts, products: Int64[np.ndarray, "searches places"]) -> Float64[np.ndarray, " searches"]:
    """Return the share of each search's true products that stand among its products; NaN where it has none."""
    number = np.bincount(truth.row, minlength=len(products))
    hit = np.bincount(truth.row, weights=_hits(truth, products).any(axis=1), minlength=len(products))
    return np.where(number > 0, hit / np.maximum(number, 1), np.nan)


def _best_place(truth: TrueProducts, page: Int64[np.ndarray, "searches places"]) -> Float64[np.ndarray, " searches"]:
    """Return the first place of a true product on each page, from 1; infinite where there is none."""
    hits = _hits(truth, page)
    first = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1.0, np.inf)
    best = np.full(len(page), np.inf)
    np.minimum.at(best, truth.row, first)
    return best
