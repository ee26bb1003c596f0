"""What a recorded run says: rates by shopper, the lifts of an A/B test, where they come from, and their days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Int64

from aisle.experiments.lift import Contribution, Lift, Rate, contribution_of, lift_of
from aisle.experiments.sequential import Look, looks_of
from aisle.simulation import Outcome
from aisle.simulation.clock import SECONDS_PER_DAY

__all__ = ["BandLift", "Trial", "clicks", "conversions", "purchases", "trial_of"]


@dataclass(frozen=True)
class BandLift:
    """What the searches of one band came to.

    Attributes:
        lift: Of the purchase rate of these searches alone.
        adds: Points of the whole lift that they bring.
    """

    lift: Lift
    adds: Contribution


@dataclass(frozen=True)
class Trial:
    """An A/B test.

    Attributes:
        purchases: Lift of the share of searches that led to an order.
        conversions: Lift of the share of visits, searching or not, with an order.
        clicks: Lift of the share of searches with a click: a guard.
        bands: By frequency band of the query.
        looks: The purchase rate as it was known at the end of each day.
    """

    purchases: Lift
    conversions: Lift
    clicks: Lift
    bands: Mapping[str, BandLift]
    looks: tuple[Look, ...]

    def as_dict(self) -> dict[str, object]:
        """Return plain values, under the names that the benchmark has."""
        return {
            "purchase_rate_lift": self.purchases.as_dict(),
            "conversion_lift": self.conversions.as_dict(),
            "click_rate_lift": self.clicks.as_dict(),
            "bands": {name: {**band.lift.as_dict(), "adds": asdict(band.adds)} for name, band in self.bands.items()},
            "looks": [asdict(look) for look in self.looks],
        }


def purchases(outcome: Outcome, num_shoppers: int, rows: Bool[np.ndarray, " searches"] | None = None) -> Rate:
    """Return the search purchase rate: searches that led to an order, on the spot or later.

    Args:
        outcome: The run.
        num_shoppers: Shoppers of the marketplace; those who did not come have no chance.
        rows: Searches that count; None for all.
    """
    counted = np.ones(len(outcome.search_ordered), np.bool_) if rows is None else rows
    return _rate(outcome.requests.user_index, outcome.search_ordered & counted, counted, num_shoppers)


def clicks(outcome: Outcome, num_shoppers: int) -> Rate:
    """Return the share of searches with a click."""
    every = np.ones(len(outcome.search_clicked), np.bool_)
    return _rate(outcome.requests.user_index, outcome.search_clicked, every, num_shoppers)


def conversions(outcome: Outcome, num_shoppers: int) -> Rate:
    """Return the site-wide conversion: visits with an order, among all visits."""
    every = np.ones(len(outcome.visit_ordered), np.bool_)
    return _rate(outcome.visit_user, outcome.visit_ordered, every, num_shoppers)


def trial_of(
    outcome: Outcome,
    in_b: Bool[np.ndarray, " shoppers"],
    *,
    bands: Mapping[str, Bool[np.ndarray, " searches"]],
    days: tuple[int, int],
) -> Trial:
    """Test a run in which each shopper met the set-up of an arm.

    Args:
        outcome: The run.
        in_b: Shoppers of arm B.
        bands: Searches of each frequency band; together all of them.
        days: First day of the run, and the day after its last.
    """
    num = len(in_b)
    whole = purchases(outcome, num)
    by_band = {name: _band(outcome, whole, in_b, rows) for name, rows in bands.items() if rows.any()}
    return Trial(
        lift_of(whole, in_b),
        lift_of(conversions(outcome, num), in_b),
        lift_of(clicks(outcome, num), in_b),
        MappingProxyType(by_band),
        tuple(looks_of([lift_of(_until(outcome, num, day), in_b) for day in range(days[0] + 1, days[1] + 1)])),
    )


def _band(
    outcome: Outcome, whole: Rate, in_b: Bool[np.ndarray, " shoppers"], rows: Bool[np.ndarray, " searches"]
) -> BandLift:
    own = purchases(outcome, len(in_b), rows)
    return BandLift(lift_of(own, in_b), contribution_of(Rate(own.taken, whole.chances), whole, in_b))


def _until(outcome: Outcome, num_shoppers: int, day: int) -> Rate:
    """Return what was known of purchases at the beginning of a day: later orders of earlier searches are not in."""
    end = day * SECONDS_PER_DAY
    searched = outcome.requests.at < end
    return _rate(outcome.requests.user_index, searched & (outcome.search_ordered_at < end), searched, num_shoppers)


def _rate(
    user: Int64[np.ndarray, " rows"],
    taken: Bool[np.ndarray, " rows"],
    counted: Bool[np.ndarray, " rows"],
    num_shoppers: int,
) -> Rate:
    return Rate(
        np.bincount(user, weights=taken, minlength=num_shoppers),
        np.bincount(user, weights=counted, minlength=num_shoppers),
    )
