"""When each action on a page happens: reading takes time from the top down, and some carts are paid for days later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int8, Int64

from aisle.simulation.browsing import Actions
from aisle.simulation.clock import NEVER
from aisle.simulation.draws import Draws
from aisle.simulation.needs import Needs
from aisle.simulation.stock import Stock

__all__ = ["Stamps", "Timing"]

_FIRST_LOOK_S, _READ_S, _VISIT_S, _HASTE_S = 2, 2, 15, 20
"""Until the first place is read; per place; least stay on a clicked product, and how much longer it can be."""
_FAVOURITE_S, _CART_S, _ORDER_S = 6, 12, 60
_PAUSE_S = 8
_LATER_SHARE = 0.06
"""Share of left carts that are bought later, if the product is still on sale."""
_LEAST_WAIT_S, _MOST_WAIT_S = 3_600, 72 * 3_600

Times = Int64[np.ndarray, "rows places"]


@dataclass(frozen=True)
class Stamps:
    """Seconds of every action; `NEVER` where it was not taken."""

    clicked_at: Times
    favorited_at: Times
    carted_at: Times
    ordered_at: Times
    ended_at: Int64[np.ndarray, " rows"]
    """Second in which the shopper was done with the page; orders of the days after do not count."""


class Timing:
    """Dates actions."""

    def __init__(self, stock: Stock, *, log_end: int, seed: int) -> None:
        self._stock, self._log_end = stock, log_end
        self._draws = {name: Draws(seed, "timing", name) for name in ("stay", "step", "later", "wait", "pause")}

    def stamp(
        self,
        needs: Needs,
        actions: Actions,
        products: Int64[np.ndarray, "rows places"],
        *,
        attempt: Int8[np.ndarray, " rows"],
        at: Int64[np.ndarray, " rows"],
    ) -> Stamps:
        """Date the actions on pages that were opened at these seconds."""
        place = np.arange(products.shape[1])
        keys = (needs.need[:, None], attempt[:, None], place)
        stay = _VISIT_S + self._draws["stay"].index(_HASTE_S, *keys)
        step = self._draws["step"].index(_CART_S, *keys)
        # A shopper stays with one product after the other; what is kept is kept within the stay.
        stayed = np.cumsum(np.where(actions.clicked, stay + actions.carted * (_CART_S + step), 0), axis=1)
        before = stayed - np.where(actions.clicked, stay + actions.carted * (_CART_S + step), 0)
        clicked = at[:, None] + _FIRST_LOOK_S + _READ_S * place + before
        favorited, carted = clicked + _FAVOURITE_S + step // 2, clicked + _VISIT_S + step
        ordered = carted + _ORDER_S + 5 * step
        later, wait = self._later(actions, products, carted=carted, keys=keys)
        times = (
            np.where(actions.clicked, clicked, NEVER),
            np.where(actions.favorited, favorited, NEVER),
            np.where(actions.carted, carted, NEVER),
            np.where(actions.ordered, ordered, NEVER),
        )
        last = np.max([np.where(time == NEVER, at[:, None], time).max(axis=1, initial=0) for time in times], axis=0)
        pause = _PAUSE_S + self._draws["pause"].index(4 * _PAUSE_S, needs.need, attempt)
        ordered_at = np.where(later, carted + wait, times[3])
        return Stamps(*times[:3], ordered_at, ended_at=np.maximum(last, at) + pause)

    def _later(
        self,
        actions: Actions,
        products: Int64[np.ndarray, "rows places"],
        *,
        carted: Times,
        keys: tuple[np.ndarray, ...],
    ) -> tuple[Bool[np.ndarray, "rows places"], Times]:
        """Choose left carts that are bought later, and the seconds until then."""
        left = actions.carted & ~actions.ordered.any(axis=1, keepdims=True)
        row, place = np.nonzero(left & (self._draws["later"].uniform(*keys) < _LATER_SHARE))
        wait = np.zeros(products.shape, np.int64)
        own = (keys[0][row, 0], keys[1][row, 0], place)
        wait[row, place] = _LEAST_WAIT_S + self._draws["wait"].index(_MOST_WAIT_S - _LEAST_WAIT_S, *own)
        paid_at = carted[row, place] + wait[row, place]
        can = (paid_at < self._log_end) & self._stock.on_sale(products[row, place][:, None], paid_at)[:, 0]
        later = np.zeros(products.shape, bool)
        later[row[can], place[can]] = True
        return later, wait
