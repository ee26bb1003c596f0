"""Drawing what shoppers want: a type by demand, and values of a product that could exist, of the shopper's taste."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int8, Int16, Int64

from aisle.core.ragged import offsets_of
from aisle.core.rng import generator
from aisle.simulation.draws import Draws
from aisle.simulation.gifts import Gifts
from aisle.simulation.needs import ANY, Needs, QueryKind
from aisle.simulation.shoppers import Shoppers
from aisle.simulation.world import World

__all__ = ["THRESHOLD_MEAN", "IntentDrawer"]

_KIND_SHARES: dict[QueryKind, float] = {
    QueryKind.BROAD: 0.40,
    QueryKind.DETAILED: 0.23,
    QueryKind.OWN_WORDS: 0.24,
    QueryKind.GIFT: 0.05,
    QueryKind.LONG: 0.025,
    QueryKind.BRAND: 0.045,
}
_NUM_WANTED: dict[QueryKind, tuple[int, int]] = {
    QueryKind.BROAD: (0, 1),
    QueryKind.DETAILED: (1, 2),
    QueryKind.OWN_WORDS: (2, 3),
    QueryKind.GIFT: (0, 0),
    QueryKind.LONG: (3, 4),
    QueryKind.BRAND: (0, 1),
}
"""Fewest and most attributes that matter. Who types a bare "lamp" mostly does not know better yet; gifts want
what suits the person and the occasion."""
_MOST_STATED: dict[QueryKind, int] = {
    QueryKind.BROAD: 0,
    QueryKind.DETAILED: 2,
    QueryKind.OWN_WORDS: 2,
    QueryKind.GIFT: 0,
    QueryKind.LONG: 4,
    QueryKind.BRAND: 0,
}
_OMITTED_SHARE: dict[QueryKind, float] = {
    QueryKind.BROAD: 0.0,
    QueryKind.DETAILED: 1.0,
    QueryKind.OWN_WORDS: 0.2,
    QueryKind.GIFT: 0.0,
    QueryKind.LONG: 0.5,
    QueryKind.BRAND: 0.0,
}
"""Share of the queries that leave one thing out that could have been said."""
_LATER_ATTRIBUTE = 0.2
"""How much less often each attribute matters than the one before it in the vocabulary, which begins with colour."""
_DEMAND_SIGMA = 0.8
"""Standard deviation of log demand between types beyond what is explained by how much of them is sold."""
_NUM_IMAGINED = 3
"""Products that come to the shopper's mind; the one that suits the taste best is wanted."""
_CHEAP_SHARE, _PREMIUM_SHARE = 0.08, 0.03
_CHEAP_SHIFT, _PREMIUM_SHIFT = -1.2, 1.2
THRESHOLD_MEAN = 1.75
_THRESHOLD_SIGMA = 0.35


class IntentDrawer:
    """Draws needs of shoppers of one world."""

    def __init__(self, world: World, shoppers: Shoppers, gifts: Gifts, *, seed: int) -> None:
        self._world, self._shoppers = world, shoppers
        self._draws = {name: Draws(seed, "intents", name) for name in _STREAMS}
        self._by_type = np.argsort(world.truth.type_index, kind="stable")
        num_types = len(world.truth.vocabulary.types)
        self._type_start = offsets_of(world.truth.type_index[self._by_type], num_types)
        self._demand = _TypeDemand(world, np.diff(self._type_start), seed=seed)
        self._departments = np.cumsum(shoppers.departments.astype(np.float64), axis=1)
        self._gifts = gifts

    def draw(self, need: Int64[np.ndarray, " rows"], user_index: Int64[np.ndarray, " rows"]) -> Needs:
        """Draw the needs of these numbers for these shoppers; the same number gives the same need, in any company."""
        type_index = self._draw_types(need, user_index)
        kind, persona, occasion = self._draw_kinds(need, type_index)
        imagined = self._imagine(need, user_index, type_index)
        wanted, num_stated = self._draw_wanted(need, kind, imagined)
        for_gift = np.flatnonzero(persona >= 0)
        wanted[for_gift] = self._gifts.wanted_values(persona[for_gift], occasion[for_gift], type_index[for_gift])
        price = self._draws["price"].uniform(need)
        shift = np.where(price < _CHEAP_SHARE, _CHEAP_SHIFT, np.where(price > 1 - _PREMIUM_SHARE, _PREMIUM_SHIFT, 0.0))
        threshold = THRESHOLD_MEAN + _THRESHOLD_SIGMA * self._draws["threshold"].normal(user_index)
        return Needs(
            need=need,
            user_index=user_index,
            type_index=type_index,
            wanted=wanted,
            brand_index=np.where(kind == QueryKind.BRAND, self._world.truth.brand_index[imagined], ANY),
            price_shift=shift.astype(np.float32),
            threshold=threshold.astype(np.float32),
            kind=kind,
            num_stated=num_stated,
            persona=persona,
            occasion=occasion,
            ordered_before=np.full(len(need), ANY, np.int64),
        )

    def _draw_types(
        self, need: Int64[np.ndarray, " rows"], user_index: Int64[np.ndarray, " rows"]
    ) -> Int64[np.ndarray, " rows"]:
        cumulative = self._departments[user_index]
        chance = self._draws["department"].uniform(need) * cumulative[:, -1]
        department = np.minimum((cumulative <= chance[:, None]).sum(axis=1), cumulative.shape[1] - 1)
        return self._demand.pick(department, self._draws["type"].uniform(need))

    def _draw_kinds(
        self, need: Int64[np.ndarray, " rows"], type_index: Int64[np.ndarray, " rows"]
    ) -> tuple[Int8[np.ndarray, " rows"], Int64[np.ndarray, " rows"], Int64[np.ndarray, " rows"]]:
        """Return the kind of each query, and for gifts for whom and when; nobody is given what suits no one."""
        shares = np.cumsum(list(_KIND_SHARES.values()))
        kind = np.searchsorted(shares / shares[-1], self._draws["kind"].uniform(need), side="right").astype(np.int8)
        kind = np.minimum(kind, np.int8(len(shares) - 1))
        persona, occasion = np.full(len(need), ANY, np.int64), np.zeros(len(need), np.int64)
        rows = np.flatnonzero(kind == QueryKind.GIFT) if len(self._gifts) else np.empty(0, np.int64)
        persona[rows] = self._gifts.pick_persona(type_index[rows], self._draws["persona"].uniform(need[rows]))
        rows = np.flatnonzero(persona >= 0)
        occasion[rows] = self._gifts.pick_occasion(persona[rows], self._draws["occasion"].uniform(need[rows]))
        kind[(kind == QueryKind.GIFT) & (persona < 0)] = QueryKind.BROAD
        return kind, persona, occasion

    def _imagine(
        self,
        need: Int64[np.ndarray, " rows"],
        user_index: Int64[np.ndarray, " rows"],
        type_index: Int64[np.ndarray, " rows"],
    ) -> Int64[np.ndarray, " rows"]:
        """Choose the product whose values the need wants, so that what is wanted can be had."""
        start, size = self._type_start[type_index], np.diff(self._type_start)[type_index]
        thought = np.arange(_NUM_IMAGINED)
        place = self._draws["imagined"].index(size[:, None], need[:, None], thought)
        product = self._by_type[start[:, None] + place]
        suits = np.einsum("rps,rs->rp", self._world.style[product], self._shoppers.style[user_index])
        return np.asarray(product[np.arange(len(need)), suits.argmax(axis=1)])

    def _draw_wanted(
        self, need: Int64[np.ndarray, " rows"], kind: Int8[np.ndarray, " rows"], imagined: Int64[np.ndarray, " rows"]
    ) -> tuple[Int16[np.ndarray, "rows attributes"], Int8[np.ndarray, " rows"]]:
        """Choose what matters of the imagined product's values, and how much of it will be said."""
        values = self._world.truth.value_index[imagined].astype(np.int16)
        few, most = (np.array([bounds[side] for bounds in _NUM_WANTED.values()])[kind] for side in (0, 1))
        num_wanted = few + self._draws["wanted"].index(most - few + 1, need)
        column = np.arange(values.shape[1])
        priority = self._draws["attribute"].uniform(need[:, None], column) * (1 + _LATER_ATTRIBUTE * column)
        priority[values < 0] = np.inf
        rank = np.argsort(np.argsort(priority, axis=1, kind="stable"), axis=1, kind="stable")
        matters = (rank < num_wanted[:, None]) & (values >= 0)
        num_wanted = matters.sum(axis=1)
        # All that matters is said, up to the kind's limit, or one thing less.
        most_stated = np.minimum(np.array(list(_MOST_STATED.values()))[kind], num_wanted)
        omits = self._draws["stated"].uniform(need) < np.array(list(_OMITTED_SHARE.values()))[kind]
        return np.where(matters, values, np.int16(ANY)), (most_stated - (omits & (most_stated > 1))).astype(np.int8)


_STREAMS = (
    "department",
    "type",
    "kind",
    "imagined",
    "wanted",
    "attribute",
    "stated",
    "price",
    "threshold",
    "persona",
    "occasion",
)


class _TypeDemand:
    """How often each type is wanted within its department: by how much of it is sold, and by chance."""

    def __init__(self, world: World, num_products: Int64[np.ndarray, " types"], *, seed: int) -> None:
        popularity = np.exp(_DEMAND_SIGMA * generator(seed, "demand").normal(size=len(num_products)))
        demand = np.where(num_products > 0, num_products * popularity, 0.0)
        num_departments = len(world.truth.vocabulary.departments)
        by_department = np.bincount(world.department_of_type, demand, minlength=num_departments)
        self._order = np.argsort(world.department_of_type, kind="stable")
        self._cumulative = np.cumsum(demand[self._order])
        self._upper = np.cumsum(by_department)
        self._lower = self._upper - by_department
        self._stocked = np.flatnonzero(by_department > 0)

    def pick(
        self, department: Int64[np.ndarray, " rows"], chance: Float64[np.ndarray, " rows"]
    ) -> Int64[np.ndarray, " rows"]:
        """Pick a type of each row's department; of the next department that sells anything where it sells nothing."""
        at = np.minimum(np.searchsorted(self._stocked, department), len(self._stocked) - 1)
        stocked = self._stocked[at]
        lower, upper = self._lower[stocked], self._upper[stocked]
        wanted = lower + chance * (upper - lower)
        place = np.searchsorted(self._cumulative, wanted, side="right")
        return np.asarray(self._order[np.minimum(place, len(self._order) - 1)])
