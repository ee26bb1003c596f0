"""When shoppers come, how they are known then, and how much they look for on each visit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int8, Int64

from aisle.core.ragged import group_ranks
from aisle.simulation.clock import SECONDS_PER_DAY
from aisle.simulation.draws import Draws
from aisle.simulation.shoppers import ShopperKind, Shoppers

__all__ = ["BROWSE_SHARE", "NEEDS_PER_VISIT", "Visits", "draw_visits"]

BROWSE_SHARE = 0.25
"""Share of the visits that never search."""
_ANOTHER_NEED_SHARE, _MOST_NEEDS = 0.18, 4
NEEDS_PER_VISIT = (1 - _ANOTHER_NEED_SHARE**_MOST_NEEDS) / (1 - _ANOTHER_NEED_SHARE)
"""Expected needs of a visit that searches."""
_SIGNED_OUT_SHARE = 0.08
"""Share of a signed-in shopper's visits on which the log knows only the client."""
_LONGEST_VISIT_S = 2 * 3600
"""Nobody comes so late that the log could end within the visit."""
_LEAST_GAP_S = 3 * 3600
"""Between the starts of two visits of one shopper."""
_WEEK = np.array([1.00, 0.97, 0.95, 0.97, 0.93, 1.10, 1.25])
"""Visits by day of the week, from Sunday, on which the log starts."""
_HOURS = np.array([2, 1, 1, 1, 1, 2, 3, 4, 5, 6, 7, 7, 8, 7, 7, 7, 7, 8, 9, 10, 11, 11, 8, 5], np.float64)
_LATEST_FIRST_VISIT = 0.9
"""A new shopper's first visit lies within this part of the log."""


@dataclass(frozen=True)
class Visits:
    """Visits sorted by shopper and time."""

    user_index: Int64[np.ndarray, " visits"]
    at: Int64[np.ndarray, " visits"]
    """Second of the first action."""
    num_needs: Int64[np.ndarray, " visits"]
    """Things that the shopper searches for one after another; 0: a visit that never searches."""
    identity: Int8[np.ndarray, " visits"]
    """The `ShopperKind` as which the log knows the shopper on this visit; `RETURNING` for any known client."""

    def __len__(self) -> int:
        """Return the number of visits."""
        return len(self.at)


def draw_visits(shoppers: Shoppers, *, num_needs: int, days: int, seed: int) -> Visits:
    """Draw visits with about `num_needs` needs in all, spread over the shoppers by their activity."""
    draws = {
        name: Draws(seed, "visits", name) for name in ("number", "day", "hour", "second", "kind", "needs", "known")
    }
    users = np.arange(len(shoppers))
    expected = num_needs / ((1 - BROWSE_SHARE) * NEEDS_PER_VISIT)
    share = shoppers.activity.astype(np.float64) / shoppers.activity.sum(dtype=np.float64)
    num_visits = np.floor(share * expected + draws["number"].uniform(users)).astype(np.int64)
    user_index = np.repeat(users, num_visits)
    # Two keys that no other visit has, however many shoppers there are.
    nth = np.arange(len(user_index)) - np.repeat(np.cumsum(num_visits) - num_visits, num_visits)
    keys = (user_index, nth)
    at = _draw_times(shoppers, user_index, days=days, draws=draws, keys=keys)
    at = _apart(user_index, at)
    kept = at < days * SECONDS_PER_DAY - _LONGEST_VISIT_S
    browses = draws["kind"].uniform(*keys) < BROWSE_SHARE
    more = np.floor(np.log1p(-draws["needs"].uniform(*keys)) / np.log(_ANOTHER_NEED_SHARE)).astype(np.int64)
    num = np.where(browses, 0, np.minimum(1 + more, _MOST_NEEDS))
    identity = _identities(shoppers, user_index, signed_out=draws["known"].uniform(*keys) < _SIGNED_OUT_SHARE)
    return Visits(user_index[kept], at[kept], num[kept], identity[kept])


def _draw_times(
    shoppers: Shoppers,
    user_index: Int64[np.ndarray, " visits"],
    *,
    days: int,
    draws: dict[str, Draws],
    keys: tuple[np.ndarray, np.ndarray],
) -> Int64[np.ndarray, " visits"]:
    """Draw a day by the week's rhythm (after the first visit for the new), then an hour of the day."""
    day_weight = np.cumsum(np.resize(_WEEK, days))
    is_new = shoppers.kind[user_index] == ShopperKind.NEW
    first = np.where(is_new, draws["day"].uniform(user_index, np.array(-1)) * _LATEST_FIRST_VISIT, 0.0)
    chance = np.where(keys[1] == 0, first, first + (1 - first) * draws["day"].uniform(*keys))
    chance = np.where(is_new, chance, draws["day"].uniform(*keys))
    day = np.searchsorted(day_weight / day_weight[-1], chance, side="right")
    hour = np.searchsorted(np.cumsum(_HOURS) / _HOURS.sum(), draws["hour"].uniform(*keys), side="right")
    second = draws["second"].index(3600, *keys)
    return np.asarray(np.minimum(day, days - 1) * SECONDS_PER_DAY + np.minimum(hour, 23) * 3600 + second)


def _apart(user_index: Int64[np.ndarray, " visits"], at: Int64[np.ndarray, " visits"]) -> Int64[np.ndarray, " visits"]:
    """Sort each shopper's visits by time and put off those that come too soon after the one before."""
    at = at[np.lexsort((at, user_index))]
    rank = group_ranks(user_index, at)
    # Without the gaps that are due, a visit must not lie before the one before it: a running maximum per shopper.
    span = int(at.max(initial=0)) + _LEAST_GAP_S * (int(rank.max(initial=0)) + 1) + 1
    lifted = np.maximum.accumulate(at - rank * _LEAST_GAP_S + user_index * 2 * span)
    return np.asarray(lifted - user_index * 2 * span + rank * _LEAST_GAP_S)


def _identities(
    shoppers: Shoppers, user_index: Int64[np.ndarray, " visits"], *, signed_out: Bool[np.ndarray, " visits"]
) -> Int8[np.ndarray, " visits"]:
    kind = shoppers.kind[user_index]
    is_client = (kind == ShopperKind.NEW) | ((kind == ShopperKind.SIGNED_IN) & signed_out)
    return np.where(is_client, ShopperKind.RETURNING, kind).astype(np.int8)
