"""The hidden truth that shoppers respond to: what every product is, how good, in which style, where and when on sale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from aisle.simulation.truth import CatalogueTruth

__all__ = ["NUM_STYLES", "World"]

NUM_STYLES = 16
"""Dimensions of the space that styles of products and tastes of shoppers share."""


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
