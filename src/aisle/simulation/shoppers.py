"""Shoppers with hidden tastes: one row per person, whether the log knows that person or not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Bool, Float32, Int8, Int64

from aisle.core.errors import UsageError
from aisle.core.rng import generator
from aisle.simulation.choices import NOTHING, zipf_weights
from aisle.simulation.styles import draw_styles
from aisle.simulation.world import World

__all__ = ["ShopperKind", "Shoppers", "draw_shoppers"]


class ShopperKind(IntEnum):
    """How the log knows a shopper."""

    SIGNED_IN = 0
    """By a user id, on every visit."""
    RETURNING = 1
    """By a client id that was there before the log began."""
    NEW = 2
    """By a client id that is first seen during the log."""
    ANONYMOUS = 3
    """By a session id only: every visit looks like another person's."""


_KIND_SHARES = (0.40, 0.20, 0.15, 0.25)
_VISITS_OF_KIND = np.array([6.0, 4.5, 2.0, 4.5])
"""Mean visits over the log, by kind."""
_ACTIVITY_SIGMA = 1.1
"""Standard deviation of log visits: the busiest tenth of the shoppers makes about half of the visits."""
_STRENGTH_SIGMA = 0.6
"""Standard deviation of the logarithm of every strength, which has mean 1."""
_PRICE_LEVEL_SIGMA = 0.8
_DEPARTMENT_CONCENTRATION = 4.0
"""Sum of the Dirichlet parameters over departments: smaller keeps each shopper to fewer of them."""
_SIZE_ON_DEMAND = 0.5
"""Exponent by which a department's number of products makes its share of demand."""
_FAVOURITE_BRAND_SHARE, _FAVOURITE_SHOP_SHARE = 0.4, 0.25
"""Share of (shopper, department) pairs with a favourite."""
_TASTED = 8
"""Random products of the department of which a shopper liked one best: its brand (its shop) became the favourite."""
_PRICE_ON_LIKING = 0.3


@dataclass(frozen=True)
class Shoppers:
    """Hidden tastes; what the log tells of them is for the sessions to decide."""

    kind: Int8[np.ndarray, " users"]
    """A `ShopperKind` per shopper."""
    style: Float32[np.ndarray, "users styles"]
    """Unit rows in the same space as the products' styles."""
    style_strength: Float32[np.ndarray, " users"]
    """How much the style counts, about 1 on average, never negative; the other strengths likewise."""
    price_level: Float32[np.ndarray, " users"]
    """Preferred price level, on the scale of the products' (standard deviations within a type)."""
    price_strength: Float32[np.ndarray, " users"]
    brand_strength: Float32[np.ndarray, " users"]
    departments: Float32[np.ndarray, "users departments"]
    """How often the shopper wants something of each department; rows sum to 1."""
    favourite_brand: Int64[np.ndarray, "users departments"]
    """Position in `brand_names`; -1 where the shopper has none in the department."""
    favourite_shop: Int64[np.ndarray, "users departments"]
    """Shop index; -1 where the shopper has none in the department."""
    location_index: Int64[np.ndarray, " users"]
    """Position of the shopper's country in the wording's locations."""
    local_strength: Float32[np.ndarray, " users"]
    """How much a seller in the shopper's own country counts."""
    activity: Float32[np.ndarray, " users"]
    """Expected visits over the log, heavy-tailed, above 0."""

    def __len__(self) -> int:
        """Return the number of shoppers."""
        return len(self.kind)


def draw_shoppers(world: World, num_users: int, *, seed: int) -> Shoppers:
    """Draw shoppers whose favourites are sold in this world.

    Raises:
        UsageError: If `num_users` is not positive.
    """
    if num_users < 1:
        raise UsageError(
            "A marketplace needs at least one shopper",
            received={"num_users": num_users},
            remedy="Ask for more.",
        )
    kind = generator(seed, "kinds").choice(len(ShopperKind), size=num_users, p=_KIND_SHARES)
    style = draw_styles(num_users, rng=generator(seed, "tastes"))
    price_level = generator(seed, "price tastes").normal(0.0, _PRICE_LEVEL_SIGMA, num_users).astype(np.float32)
    places = len(world.truth.vocabulary.wording.locations)
    favourites = [
        _draw_favourites(world, department, style=style, price_level=price_level, seed=seed)
        for department in range(len(world.truth.vocabulary.departments))
    ]

    def strength(name: str) -> Float32[np.ndarray, " users"]:
        logs = generator(seed, name).normal(-(_STRENGTH_SIGMA**2) / 2, _STRENGTH_SIGMA, num_users)
        return np.exp(logs).astype(np.float32)

    return Shoppers(
        kind=kind.astype(np.int8),
        style=style,
        style_strength=strength("style strength"),
        price_level=price_level,
        price_strength=strength("price strength"),
        brand_strength=strength("brand strength"),
        departments=_draw_departments(world, num_users, seed=seed),
        favourite_brand=np.stack([brand for brand, _ in favourites], axis=1),
        favourite_shop=np.stack([shop for _, shop in favourites], axis=1),
        location_index=generator(seed, "homes").choice(places, size=num_users, p=zipf_weights(places)),
        local_strength=strength("local strength"),
        activity=_draw_activity(kind, seed=seed),
    )


def _draw_activity(kind: Int64[np.ndarray, " users"], *, seed: int) -> Float32[np.ndarray, " users"]:
    spread = generator(seed, "activity").normal(-(_ACTIVITY_SIGMA**2) / 2, _ACTIVITY_SIGMA, len(kind))
    return (_VISITS_OF_KIND[kind] * np.exp(spread)).astype(np.float32)


def _draw_departments(world: World, num_users: int, *, seed: int) -> Float32[np.ndarray, "users departments"]:
    """Draw Dirichlet shares around the demand for each department."""
    num_products = np.bincount(
        world.department_of_type[world.truth.type_index], minlength=len(world.truth.vocabulary.departments)
    )
    demand = num_products.astype(np.float64) ** _SIZE_ON_DEMAND * (num_products > 0)
    shape = _DEPARTMENT_CONCENTRATION * demand / demand.sum()
    weights = generator(seed, "departments").standard_gamma(shape, size=(num_users, len(shape)))
    weights[:, demand.argmax()] += 1e-12  # all gamma draws of a shopper can underflow to 0
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def _draw_favourites(
    world: World,
    department: int,
    *,
    style: Float32[np.ndarray, "users styles"],
    price_level: Float32[np.ndarray, " users"],
    seed: int,
) -> tuple[Int64[np.ndarray, " users"], Int64[np.ndarray, " users"]]:
    """Let every shopper taste some products of a department; brand and shop of the best liked may become favourites."""
    rng = generator(seed, "favourites", department)
    has_brand, has_shop = (rng.random(len(style)) < share for share in (_FAVOURITE_BRAND_SHARE, _FAVOURITE_SHOP_SHARE))
    members = np.flatnonzero(world.department_of_type[world.truth.type_index] == department)
    if not len(members):
        nobody = np.full(len(style), NOTHING, dtype=np.int64)
        return nobody, nobody
    best = np.full(len(style), NOTHING, dtype=np.int64)
    best_liking = np.full(len(style), -np.inf)
    for _ in range(_TASTED):
        tasted = members[rng.integers(len(members), size=len(style))]
        liking = _liking(world, tasted, style=style, price_level=price_level)
        better: Bool[np.ndarray, " users"] = liking > best_liking
        best, best_liking = np.where(better, tasted, best), np.where(better, liking, best_liking)
    brand, shop = world.truth.brand_index[best], world.truth.shop_index[best]
    return np.where(has_brand, brand, NOTHING), np.where(has_shop, shop, NOTHING)


def _liking(
    world: World,
    product: Int64[np.ndarray, " users"],
    *,
    style: Float32[np.ndarray, "users styles"],
    price_level: Float32[np.ndarray, " users"],
) -> Float32[np.ndarray, " users"]:
    match = np.einsum("us,us->u", style, world.style[product])
    return np.asarray(match - _PRICE_ON_LIKING * np.abs(world.price_level[product] - price_level))
