"""The hidden truth that shoppers respond to: what every product is, its quality, style, price, place and time."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float32, Float64, Int64

from aisle.core.errors import UsageError
from aisle.core.rng import generator
from aisle.simulation.choices import Chances
from aisle.simulation.clock import LOG_DAYS
from aisle.simulation.leaning import lean_values, style_of_values
from aisle.simulation.lifetimes import draw_lifetimes
from aisle.simulation.loading import load_vocabulary
from aisle.simulation.owners import draw_shop_locations
from aisle.simulation.prices import draw_prices, price_levels
from aisle.simulation.styles import NUM_STYLES, draw_styles, unit_rows
from aisle.simulation.truth import CatalogueTruth, draw_truth
from aisle.simulation.vocabulary import Vocabulary

__all__ = ["NUM_STYLES", "World", "draw_quality", "draw_world"]

_OF_BRAND, _OF_SHOP, _OF_MODEL = 0.6, 0.35, 0.55
"""What brand, shop and the model itself give to a product's style, before it is scaled to length 1."""
_OF_VALUES = 0.12
"""What each attribute value gives to it."""
_TYPE_EVENNESS = 0.05
"""A marketplace is full of some things and has a few of most: a search for the former has hundreds of answers."""
_VARIANT_SIGMA = 0.25
"""Share of the quality's standard deviation that differs between variants of a model."""


@dataclass(frozen=True)
class World:
    """One row per product. What a policy or a shopper may see of it stands in the products table, not here."""

    truth: CatalogueTruth
    """Type, brand, shop, model and attribute values of each product, and the words for them."""
    department_of_type: Int64[np.ndarray, " types"]
    """Position of each type's department in the vocabulary's departments."""
    style: Float32[np.ndarray, "products styles"]
    """Unit rows: the brand's and the shop's style with the product's own. It shows in texts through style words and
    through the choice of attribute values."""
    quality: Float32[np.ndarray, " products"]
    """About standard normal. It shows only in ratings and in what shoppers keep."""
    price: Float64[np.ndarray, " products"]
    """In the catalogue's currency, above 0."""
    price_level: Float32[np.ndarray, " products"]
    """Logarithm of the price, standardised within the product's type."""
    location_index: Int64[np.ndarray, " products"]
    """Position of the seller's country in the wording's locations."""
    arrived_at: Int64[np.ndarray, " products"]
    """Seconds since the start of the log; 0 and below: there from the start."""
    removed_at: Int64[np.ndarray, " products"]
    """Seconds since the start of the log from which it is no longer on sale; `NEVER` where it stays."""

    def __len__(self) -> int:
        """Return the number of products."""
        return len(self.truth)


def draw_world(
    num_products: int, *, seed: int, vocabulary: Vocabulary | None = None, log_days: int = LOG_DAYS
) -> World:
    """Draw a catalogue's hidden truth.

    Args:
        num_products: At least 1.
        seed: The same seed gives the same world.
        vocabulary: What is sold; None for the packaged vocabulary.
        log_days: Length of the log over which products arrive and go.

    Raises:
        UsageError: If there is nothing to sell, or no day to sell it on.
    """
    if num_products < 1 or log_days < 1:
        raise UsageError(
            "A world must have at least one product and one day",
            received={"num_products": num_products, "log_days": log_days},
            remedy="Ask for more.",
        )
    truth = draw_truth(vocabulary or load_vocabulary(), num_products, seed=seed, type_evenness=_TYPE_EVENNESS)
    chances = Chances(seed, truth.model_index)
    lean = _draw_model_styles(truth, seed=seed)
    truth = replace(truth, value_index=lean_values(truth, unit_rows(lean), seed=seed))
    price = draw_prices(truth, chances, seed=seed)
    arrived_at, removed_at = draw_lifetimes(chances, log_days=log_days)
    return World(
        truth=truth,
        department_of_type=truth.department_of_type,
        style=unit_rows(lean[truth.model_index] + _OF_VALUES * style_of_values(truth)),
        quality=draw_quality(truth.model_index, seed=seed),
        price=price,
        price_level=price_levels(price, truth.type_index),
        location_index=draw_shop_locations(truth.vocabulary.wording, truth.num_shops, seed=seed)[truth.shop_index],
        arrived_at=arrived_at,
        removed_at=removed_at,
    )


def _draw_model_styles(truth: CatalogueTruth, *, seed: int) -> Float32[np.ndarray, "models styles"]:
    """Mix the styles of each model's brand and shop with its own; not of unit length."""
    first = np.unique(truth.model_index, return_index=True)[1]
    of_brand = draw_styles(len(truth.brand_names), rng=generator(seed, "style of brands"))
    of_shop = draw_styles(truth.num_shops, rng=generator(seed, "style of shops"))
    own = draw_styles(len(first), rng=generator(seed, "style of models"))
    mixed: Float32[np.ndarray, "models styles"] = (
        _OF_BRAND * of_brand[truth.brand_index[first]] + _OF_SHOP * of_shop[truth.shop_index[first]] + _OF_MODEL * own
    )
    return mixed


def draw_quality(model_index: Int64[np.ndarray, " products"], *, seed: int) -> Float32[np.ndarray, " products"]:
    """Draw standard normal qualities that variants of a model mostly share; brand and price tell nothing of them."""
    of_model = generator(seed, "quality").standard_normal(int(model_index.max()) + 1)
    own = generator(seed, "quality of variants").standard_normal(len(model_index))
    shared = np.sqrt(1.0 - _VARIANT_SIGMA**2)
    return (shared * of_model[model_index] + _VARIANT_SIGMA * own).astype(np.float32)
