"""Visits that never search: shoppers walk through departments, look at products, and sometimes buy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64

from aisle.simulation.clock import NEVER
from aisle.simulation.draws import Draws
from aisle.simulation.intents import THRESHOLD_MEAN
from aisle.simulation.shelves import Shelves
from aisle.simulation.shoppers import Shoppers
from aisle.simulation.utility import Utility
from aisle.simulation.visits import Visits

__all__ = ["Strolling", "Strolls"]

_NUM_MET = 12
"""Products that a stroll leads past."""
_POPULAR_LEAST = 0.5
"""Of the products that lie in the way, the popular ones are always met, the least popular ones this often."""
_VIEW_SLOPE, _VIEW_MARGIN = 1.2, 0.6
_BUY_SLOPE, _CART_MARGIN, _ORDER_MARGIN = 2.5, -1.1, -1.0
_STEP_S, _CART_S, _ORDER_S = 40, 15, 12
_LONGEST_S = (_NUM_MET + 1) * (_STEP_S + _CART_S + _ORDER_S)


@dataclass(frozen=True)
class Strolls:
    """Products met without a search, one row each, sorted by visit and time."""

    visit: Int64[np.ndarray, " rows"]
    user_index: Int64[np.ndarray, " rows"]
    product_index: Int64[np.ndarray, " rows"]
    viewed_at: Int64[np.ndarray, " rows"]
    carted_at: Int64[np.ndarray, " rows"]
    ordered_at: Int64[np.ndarray, " rows"]
    """`NEVER` where it was not bought; the same for carts."""


class Strolling:
    """Leads shoppers past the popular products of the departments that they like."""

    def __init__(self, utility: Utility, shelves: Shelves, shoppers: Shoppers, *, seed: int) -> None:
        self._utility, self._shelves, self._stock = utility, shelves, shelves.stock
        self._departments = np.cumsum(shoppers.departments.astype(np.float64), axis=1)
        self._draws = {
            name: Draws(seed, "strolling", name) for name in ("department", "met", "way", "view", "buy", "time")
        }

    def stroll(self, visits: Visits, visit: Int64[np.ndarray, " visits"]) -> Strolls:
        """Return what the visits without a need came to.

        Args:
            visits: Any visits; those that search are left out.
            visit: Their numbers.
        """
        rows = np.flatnonzero(visits.num_needs == 0)
        user, at, number = visits.user_index[rows], visits.at[rows], visit[rows]
        products, met = self._products_met(user, at, number)
        keys = (number[:, None], np.arange(_NUM_MET))
        worth = self._utility.without_need(user, products) - np.float32(THRESHOLD_MEAN)
        viewed = met & (self._draws["view"].uniform(*keys) < _logistic(_VIEW_SLOPE * (worth + _VIEW_MARGIN)))
        chance, cart = self._draws["buy"].uniform(*keys), _logistic(_BUY_SLOPE * (worth + _CART_MARGIN))
        order = cart * _logistic(_BUY_SLOPE * (worth + _ORDER_MARGIN))
        row, place = np.nonzero(viewed)
        chance, cart, order = (of_all[row, place] for of_all in (chance, cart, order))
        step = self._draws["time"].index(_STEP_S // 2, number[row], place)
        viewed_at = at[row] + place * (_STEP_S + _CART_S + _ORDER_S) + step
        return Strolls(
            visit=number[row],
            user_index=user[row],
            product_index=products[row, place],
            viewed_at=viewed_at,
            carted_at=np.where(chance < cart, viewed_at + _CART_S, NEVER),
            ordered_at=np.where(chance < order, viewed_at + _CART_S + _ORDER_S, NEVER),
        )

    def _products_met(
        self, user: Int64[np.ndarray, " rows"], at: Int64[np.ndarray, " rows"], visit: Int64[np.ndarray, " rows"]
    ) -> tuple[Int64[np.ndarray, "rows places"], Bool[np.ndarray, "rows places"]]:
        """Draw the products in the way, and which of them are on sale and noticed."""
        cumulative = self._departments[user]
        chance = self._draws["department"].uniform(visit) * cumulative[:, -1]
        department = np.minimum((cumulative <= chance[:, None]).sum(axis=1), cumulative.shape[1] - 1)
        way = self._draws["way"].uniform(visit[:, None], np.arange(_NUM_MET))
        flat = self._shelves.pick(np.repeat(department, _NUM_MET), way.ravel())
        # Sorted, so that what was drawn twice stands side by side.
        products = np.sort(flat.reshape(len(user), _NUM_MET), axis=1)
        noticed = _POPULAR_LEAST + (1 - _POPULAR_LEAST) * self._stock.popularity[products]
        met = self._draws["met"].uniform(visit[:, None], np.arange(_NUM_MET)) < noticed
        met &= self._stock.on_sale(products, at) & self._stock.on_sale(products, at + _LONGEST_S)
        met[:, 1:] &= products[:, 1:] != products[:, :-1]
        return products, met


def _logistic(value: Float32[np.ndarray, "rows places"]) -> Float32[np.ndarray, "rows places"]:
    return np.asarray(1 / (1 + np.exp(-np.clip(value, -30, 30))))
