"""What a shop is asked and the page that it answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pyarrow as pa
from jaxtyping import Bool, Float32, Int8, Int64

__all__ = ["PAGE_SIZE", "PageServer", "Pages", "Requests"]

PAGE_SIZE = 24
"""Places of a result page."""


@dataclass(frozen=True)
class Requests:
    """Searches as the shop sees them."""

    key: Int64[np.ndarray, " rows"]
    """A number of its own for every search of the log: the key of what the shop draws for it."""
    text: pa.Array
    """The queries as typed."""
    user_index: Int64[np.ndarray, " rows"]
    """Who asks. A shop may only use it to look up what that shopper did before."""
    at: Int64[np.ndarray, " rows"]
    """Seconds since the start of the log."""
    identity: Int8[np.ndarray, " rows"] | None = None
    """The `ShopperKind` as which the shop knows who asks; None where it does not matter to the shop."""

    def __len__(self) -> int:
        """Return the number of searches."""
        return len(self.key)


@dataclass(frozen=True)
class Pages:
    """Result pages, one row each."""

    product_index: Int64[np.ndarray, "rows places"]
    """Product at each place; `NO_PRODUCT` where the place is empty."""
    propensity: Float32[np.ndarray, "rows places"]
    """Probability with which the shop put this product at this place, over its own coin tosses."""
    is_random: Bool[np.ndarray, "rows places"]
    """Whether the place was given away by chance."""


class PageServer(Protocol):
    """A shop that answers searches: the one whose log is simulated, or one that is tried out."""

    def serve(self, requests: Requests) -> Pages:
        """Return a page of `PAGE_SIZE` distinct products that are on sale for each search."""
        ...
