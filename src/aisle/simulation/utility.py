"""How much a product is worth to a shopper with a need: one function behind clicks, orders, truth and oracles.

utility = type + details + the shopper's taste + quality + what only this shopper sees in this product.

All functions take one row per need and any number of products per row, and return float32 of that shape.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int8, Int64

from aisle.simulation.draws import Draws
from aisle.simulation.gifts import Gifts
from aisle.simulation.needs import Needs
from aisle.simulation.shoppers import Shoppers
from aisle.simulation.world import World

__all__ = ["MOST_BESIDE_TYPE", "OTHER_TYPE", "RELATED_TYPE", "Parts", "Utility", "type_relations"]

Products = Int64[np.ndarray, "rows places"]
Values = Float32[np.ndarray, "rows places"]

RELATED_TYPE, OTHER_TYPE = np.float32(-14.0), np.float32(-16.0)
"""A product of another type, under the same parent category or elsewhere. Nothing makes up for it (see
`MOST_BESIDE_TYPE`), so that whoever looks for the best products need only look at the wanted type."""
_MATCH, _MISMATCH = np.float32(0.5), np.float32(-0.9)
"""A wanted value or brand that is there, or is not."""
_UNKNOWN_VALUE = np.float32(-0.3)
"""The product's type has no such attribute."""
_STYLE = np.float32(2.4)
_BRAND, _SHOP = np.float32(0.9), np.float32(0.5)
_PRICE, _PRICE_GAP_MOST = np.float32(0.25), 2.5
_CHEAPER = np.float32(0.4)
"""A price below the usual level troubles this much of what one above it does."""
_LOCAL = np.float32(0.3)
_QUALITY, _QUALITY_MOST = np.float32(0.45), 2.5
_NOISE = np.float32(0.45)
_HABIT = np.float32(2.0)
"""What was bought before and is needed again."""
_STRENGTH_MOST = 2.0
_NOISE_MOST = 3.5
_MOST_WANTED = 5

MOST_BESIDE_TYPE = float(
    _STRENGTH_MOST * (_STYLE + _BRAND + _SHOP + _LOCAL)
    + _QUALITY * _QUALITY_MOST
    + _NOISE * _NOISE_MOST
    + _MOST_WANTED * _MATCH
)
"""What all parts of the utility but type and habit cannot exceed together, for needs of at most five wanted things."""


@dataclass(frozen=True)
class Parts:
    """What a utility is made of."""

    relation: Int8[np.ndarray, "rows places"]
    """0 the wanted type, 1 another under the same parent category, 2 any other."""
    details: Values
    """Wanted values and brand, and what was bought before."""
    taste: Values
    quality: Values
    chance: Values
    """What this shopper sees in this product for no reason that anybody knows, always the same."""

    @property
    def total(self) -> Values:
        """The utility."""
        return self.type_fit(RELATED_TYPE, OTHER_TYPE) + self.details + self.taste + self.quality + self.chance

    def type_fit(self, related: np.float32, other: np.float32) -> Values:
        """Return 0 for the wanted type and these values for the others."""
        return np.array([0.0, related, other], np.float32)[self.relation]


class Utility:
    """Utilities of the products of one world to its shoppers."""

    def __init__(self, world: World, shoppers: Shoppers, gifts: Gifts, *, seed: int) -> None:
        truth = world.truth
        self._shoppers = shoppers
        self._noise = Draws(seed, "utility")
        self._relations = type_relations(world)
        # Small copies: a page gathers these columns for every place.
        self._type_index = truth.type_index.astype(np.int32)
        self._values = truth.value_index.astype(np.int16)
        self._brand_index = truth.brand_index.astype(np.int32)
        self._shop_index = truth.shop_index.astype(np.int32)
        self._department = world.department_of_type[truth.type_index].astype(np.int16)
        # Whoever buys a gift thinks of another person's style.
        self._liked_style = np.concatenate([shoppers.style, gifts.style])
        self._style = world.style.astype(np.float32)
        self._quality = _QUALITY * np.clip(world.quality, -_QUALITY_MOST, _QUALITY_MOST).astype(np.float32)
        self._price_level = world.price_level.astype(np.float32)
        self._location = world.location_index.astype(np.int16)
        self._strength = {
            name: np.minimum(getattr(shoppers, f"{name}_strength"), _STRENGTH_MOST).astype(np.float32)
            for name in ("style", "price", "brand", "local")
        }

    def of(self, needs: Needs, products: Products) -> Values:
        """Return the utility of each row's products to the row's shopper with the row's need."""
        return self.parts(needs, products).total

    def parts(self, needs: Needs, products: Products) -> Parts:
        """Return the utility taken apart."""
        return Parts(
            relation=self.relation(needs.type_index, products),
            details=self.details(needs, products),
            taste=self.taste(needs, products),
            quality=self._quality[products],
            chance=self._chance(needs.user_index, products),
        )

    def relation(self, type_index: Int64[np.ndarray, " rows"], products: Products) -> Int8[np.ndarray, "rows places"]:
        """Return 0 for products of the wanted type, 1 for those under the same parent category, else 2."""
        return self._relations[type_index[:, None], self._type_index[products]]

    def details(self, needs: Needs, products: Products) -> Values:
        """Return how well the products have what is wanted beside the type: values, brand, the same as last time."""
        details = np.zeros(products.shape, np.float32)
        for column in np.flatnonzero((needs.wanted >= 0).any(axis=0)):
            rows = np.flatnonzero(needs.wanted[:, column] >= 0)
            details[rows] += _value_fit(self._values[products[rows], column], needs.wanted[rows, column, None])
        rows = np.flatnonzero(needs.brand_index >= 0)
        details[rows] += _value_fit(self._brand_index[products[rows]], needs.brand_index[rows, None])
        rows = np.flatnonzero(needs.ordered_before >= 0)
        details[rows] += _HABIT * (products[rows] == needs.ordered_before[rows, None])
        return details

    def taste(self, needs: Needs, products: Products) -> Values:
        """Return how much the shopper likes the products' style, brand, shop, price and origin."""
        user = needs.user_index
        person = np.where(needs.persona >= 0, len(self._shoppers) + needs.persona, user)
        return self._taste(user, person, products, price_shift=needs.price_shift)

    def without_need(self, user_index: Int64[np.ndarray, " rows"], products: Products) -> Values:
        """Return what products are worth to shoppers who look for nothing: taste, quality and chance."""
        shift = np.zeros(len(user_index), np.float32)
        taste = self._taste(user_index, user_index, products, price_shift=shift)
        return taste + self._quality[products] + self._chance(user_index, products)

    def _taste(
        self,
        user: Int64[np.ndarray, " rows"],
        person: Int64[np.ndarray, " rows"],
        products: Products,
        *,
        price_shift: Float32[np.ndarray, " rows"],
    ) -> Values:
        strength = {name: values[user, None] for name, values in self._strength.items()}
        style = np.einsum("rps,rs->rp", self._style[products], self._liked_style[person])
        taste = _STYLE * strength["style"] * style
        department = self._department[products]
        of_brand = self._brand_index[products] == self._shoppers.favourite_brand[user[:, None], department]
        of_shop = self._shop_index[products] == self._shoppers.favourite_shop[user[:, None], department]
        taste += strength["brand"] * (_BRAND * of_brand + _SHOP * of_shop)
        gap = self._price_level[products] - (self._shoppers.price_level[user] + price_shift)[:, None]
        trouble = np.clip(gap, -_PRICE_GAP_MOST, _PRICE_GAP_MOST) ** 2 * np.where(gap < 0, _CHEAPER, np.float32(1.0))
        taste -= _PRICE * strength["price"] * trouble
        is_local = self._location[products] == self._shoppers.location_index[user, None]
        return np.asarray(taste + _LOCAL * strength["local"] * is_local, np.float32)

    def _chance(self, user_index: Int64[np.ndarray, " rows"], products: Products) -> Values:
        return _NOISE * self._noise.normal(user_index[:, None], products)


def _value_fit(actual: np.ndarray, wanted: np.ndarray) -> Values:
    return np.where(actual == wanted, _MATCH, np.where(actual < 0, _UNKNOWN_VALUE, _MISMATCH))


def type_relations(world: World) -> Int8[np.ndarray, "types types"]:
    """Return 0 where two types are the same, 1 where they stand under the same parent category, else 2."""
    types = world.truth.vocabulary.types
    parents = {path: number for number, path in enumerate(dict.fromkeys(kind.category[:2] for kind in types))}
    parent = np.array([parents[kind.category[:2]] for kind in types])
    relation = np.where(parent[:, None] == parent, 1, 2).astype(np.int8)
    np.fill_diagonal(relation, 0)
    return relation
