"""What shoppers want: one row per need, most of which the query will not say."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Float32, Int8, Int16, Int64

__all__ = ["ANY", "Needs", "QueryKind"]

ANY = -1
"""Where a need does not mind which value, brand or product it is."""


class QueryKind(IntEnum):
    """How a shopper puts a need into words at first."""

    BROAD = 0
    """The name of the type, or of what stands above it."""
    DETAILED = 1
    """Type with one or two values, mostly in sellers' words."""
    OWN_WORDS = 2
    """What shoppers call the type and its values, which no title does."""
    GIFT = 3
    """For whom or for which occasion, often without saying what."""
    LONG = 4
    """Everything that matters in one line."""
    BRAND = 5
    """A brand with the type, or by itself."""


@dataclass(frozen=True)
class Needs:
    """Hidden intents of shoppers, one row each."""

    need: Int64[np.ndarray, " rows"]
    """Number of the need over the whole log: the key of everything that is drawn for it."""
    user_index: Int64[np.ndarray, " rows"]
    type_index: Int64[np.ndarray, " rows"]
    wanted: Int16[np.ndarray, "rows attributes"]
    """Position among the attribute's values; `ANY` where it does not matter."""
    brand_index: Int64[np.ndarray, " rows"]
    """The one brand that is wanted; `ANY` where none is."""
    price_shift: Float32[np.ndarray, " rows"]
    """How far from the shopper's usual price level this one may lie: below 0 cheaper, in standard deviations."""
    threshold: Float32[np.ndarray, " rows"]
    """Utility from which the shopper would buy."""
    kind: Int8[np.ndarray, " rows"]
    """A `QueryKind`."""
    num_stated: Int8[np.ndarray, " rows"]
    """How many of the wanted values the first query states."""
    persona: Int64[np.ndarray, " rows"]
    """For whom the gift is, a position among the personas of `Gifts`; `ANY` where the shopper buys for no one else."""
    occasion: Int64[np.ndarray, " rows"]
    """The occasion of the gift; 0 where there is none."""
    ordered_before: Int64[np.ndarray, " rows"]
    """Product that the shopper bought for the need that this one repeats; `ANY` where there is none."""

    def __len__(self) -> int:
        """Return the number of needs."""
        return len(self.need)
