"""Shoppers with hidden tastes: one row per person, whether the log knows that person or not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Float32, Int8, Int64

__all__ = ["ShopperKind", "Shoppers"]


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
