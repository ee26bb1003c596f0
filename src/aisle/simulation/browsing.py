"""What a shopper does with a page: looks at places from the top, clicks, keeps, buys, leaves.

Examination falls with the place, because shoppers stop reading somewhere. Clicks answer to what a page shows of a
product (the type, the values, the price, the looks, the stars); carts and orders to what it is worth once it has been
seen in full. Whoever buys is done with the page.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int8, Int64

from aisle.core.ranking import NO_PRODUCT
from aisle.simulation.draws import Draws
from aisle.simulation.needs import Needs
from aisle.simulation.stock import Stock
from aisle.simulation.utility import Parts, Utility

__all__ = ["Actions", "Browsing"]

_DEPTH_MEDIAN, _DEPTH_SPREAD, _PATIENCE_SIGMA = 7.0, 0.6, 0.35
"""Places that are looked at: log-logistic from search to search, with a median that differs from shopper to shopper."""
_OVERLOOKED_SHARE = 0.1
_SEEN_RELATED, _SEEN_OTHER = np.float32(-1.6), np.float32(-2.8)
"""On the page another type looks less wrong than it is."""
_SEEN_TASTE, _SEEN_RATING, _SEEN_NOISE = np.float32(0.8), np.float32(0.25), np.float32(0.7)
_CLICK_SLOPE, _CLICK_MARGIN = 1.5, -0.2
"""A product that seems worth the shopper's threshold and this much more is clicked in one of two looks."""
_CART_SLOPE, _CART_MARGIN = 2.5, -0.2
_ORDER_SLOPE, _ORDER_MARGIN = 3.0, -0.75
_EAGER_SIGMA = 0.8
"""How much readier to click one search is than another, in units of the click's logit."""
_READY_SHARE, _UNREADY_CART_SHARE = 0.6, 0.2
"""Share of the needs that are to be met now; whoever only looks around buys nothing and seldom fills a cart."""
_FAVOURITE_SHARE = 0.05
_CONTENT_SHARE = 0.6
"""Share of the shoppers who are done when they have put something into the cart."""

Places = Bool[np.ndarray, "rows places"]
Products = Int64[np.ndarray, "rows places"]
Attempts = Int8[np.ndarray, " rows"]


@dataclass(frozen=True)
class Actions:
    """What was done with the products of each page; every stage implies the ones before it, but for favourites."""

    clicked: Places
    favorited: Places
    carted: Places
    ordered: Places
    is_content: Bool[np.ndarray, " rows"]
    """Whether the shopper found something: bought it, or left it in the cart and is done."""
    is_ready: Bool[np.ndarray, " rows"]
    """Whether the shopper means to buy now rather than only to look around."""


class Browsing:
    """Behaviour of all shoppers of a world on any page."""

    def __init__(self, utility: Utility, stock: Stock, *, seed: int) -> None:
        self._utility, self._stock = utility, stock
        self._draws = {name: Draws(seed, "browsing", name) for name in _STREAMS}

    def act(self, needs: Needs, products: Products, *, attempt: Attempts) -> Actions:
        """Let each row's shopper look at a page.

        Args:
            needs: What they look for.
            products: The page; `NO_PRODUCT` where a place is empty.
            attempt: Number of the query for the need, from 0: another query is another look.
        """
        parts = self._utility.parts(needs, products)
        attraction = self._attraction(parts, needs, products, attempt=attempt)
        clicked = self._examines(needs, products, attempt)
        clicked &= self._chance("click", needs, products, attempt=attempt) < attraction
        worth = parts.total - needs.threshold[:, None]
        cart, order = _logistic(_CART_SLOPE * (worth + _CART_MARGIN)), _logistic(_ORDER_SLOPE * (worth + _ORDER_MARGIN))
        is_ready = self._draws["ready"].uniform(needs.need) < _READY_SHARE
        cart = cart * np.where(is_ready, 1.0, _UNREADY_CART_SHARE)[:, None]
        carted = clicked & (self._chance("cart", needs, products, attempt=attempt) < cart)
        would_order = carted & is_ready[:, None] & (self._chance("order", needs, products, attempt=attempt) < order)
        num_bought = np.cumsum(would_order, axis=1)
        ordered = would_order & (num_bought == 1)
        # The shopper goes down the page and is gone after the first order.
        goes_on: Places = num_bought - would_order == 0
        favourite = _FAVOURITE_SHARE * np.clip(1 + parts.taste, 0, 3)
        content = self._draws["content"].uniform(needs.need, attempt) < _CONTENT_SHARE
        return Actions(
            clicked=clicked & goes_on,
            favorited=clicked & goes_on & (self._chance("favourite", needs, products, attempt=attempt) < favourite),
            carted=carted & goes_on,
            ordered=ordered,
            is_content=ordered.any(axis=1) | (carted.any(axis=1) & content),
            is_ready=is_ready,
        )

    def attraction(self, needs: Needs, products: Products, *, attempt: Attempts) -> Float32[np.ndarray, "rows places"]:
        """Return the probability of a click on a product that is looked at."""
        parts = self._utility.parts(needs, products)
        return self._attraction(parts, needs, products, attempt=attempt)

    def examination(self, needs: Needs, num_places: int) -> Float32[np.ndarray, "rows places"]:
        """Return the probability that the shopper looks at each place of a page that holds nothing worth buying."""
        odds = (np.arange(num_places) / self._median_depth(needs)[:, None]) ** (1 / _DEPTH_SPREAD)
        return np.asarray((1 - _OVERLOOKED_SHARE) / (1 + odds), np.float32)

    def _attraction(
        self, parts: Parts, needs: Needs, products: Products, *, attempt: Attempts
    ) -> Float32[np.ndarray, "rows places"]:
        seen = parts.type_fit(_SEEN_RELATED, _SEEN_OTHER) + parts.details + _SEEN_TASTE * parts.taste
        seen += _SEEN_RATING * self._stock.rating[products]
        seen += _SEEN_NOISE * self._draws["glance"].normal(needs.need[:, None], attempt[:, None], products)
        eager = _EAGER_SIGMA * self._draws["eager"].normal(needs.need, attempt)[:, None]
        return _logistic(_CLICK_SLOPE * (seen - needs.threshold[:, None] + _CLICK_MARGIN) + eager)

    def _examines(self, needs: Needs, products: Products, attempt: Attempts) -> Places:
        chance = self._draws["depth"].uniform(needs.need, attempt)
        depth = self._median_depth(needs) * (chance / (1 - chance)) ** _DEPTH_SPREAD
        looked_at = np.arange(products.shape[1]) < depth[:, None]
        overlooked = self._chance("overlooked", needs, products, attempt=attempt) < _OVERLOOKED_SHARE
        return (products != NO_PRODUCT) & looked_at & ~overlooked

    def _median_depth(self, needs: Needs) -> Float32[np.ndarray, " rows"]:
        return np.asarray(_DEPTH_MEDIAN * np.exp(_PATIENCE_SIGMA * self._draws["patience"].normal(needs.user_index)))

    def _chance(self, name: str, needs: Needs, products: Products, *, attempt: Attempts) -> np.ndarray:
        # By product, not by place: the same shopper on two pages would do the same to the same product.
        return self._draws[name].uniform(needs.need[:, None], attempt[:, None], products)


_STREAMS = (
    "depth",
    "patience",
    "overlooked",
    "glance",
    "click",
    "cart",
    "order",
    "favourite",
    "content",
    "eager",
    "ready",
)


def _logistic(value: Float32[np.ndarray, "rows places"]) -> Float32[np.ndarray, "rows places"]:
    return np.asarray(1 / (1 + np.exp(-np.clip(value, -30, 30))), np.float32)
