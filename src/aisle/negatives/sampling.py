"""Where negatives come from: the batch itself, or a uniform draw from the products on sale."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int64, Real, Shaped

from aisle.core.errors import UsageError

__all__ = ["UniformNegatives", "in_batch_log_count", "products_on_sale"]


def in_batch_log_count(frequency: Real[np.ndarray, " products"], batch_size: int) -> Float32[np.ndarray, " products"]:
    """Compute log(p_i · batch_size): how often each product is to be expected among a batch's columns.

    This is the `log_sampling` of in-batch negatives: a popular product stands in many columns, and without
    the correction the loss would push it down for its popularity.

    As an expected number of columns it is exact, with replacement or by shuffling: each column holds product
    i with probability p_i. (It is not the probability to appear at least once: columns that repeat a product
    are all kept.) As the sampling of one row's negatives it is approximate: the row masks its own column and
    meets batch_size − 1 others, so its partition sum is estimated at (batch_size − 1) / batch_size of the
    true one, 0.2 % low at 512. Pass batch_size − 1 to be exact there too, for pairs drawn independently.

    Args:
        frequency: How often each product is drawn as the positive of a pair, as the sampler draws them;
            counts or shares, at least 0. Batches of one slice of a log take the frequency within that slice.
        batch_size: Columns of a batch.

    Returns:
        Log of the expected count, finite: a product of frequency 0 counts as the rarest one above 0, since it
        cannot be drawn unless the frequencies are of another time.

    Raises:
        UsageError: If a frequency is negative or not finite, all are 0, or the batch size is below 1.

    Source: Yi et al. 2019 (frequency of an item in a batch); Bengio and Senécal 2008.
    """
    if batch_size < 1:
        raise UsageError("batch_size must be at least 1", received={"batch_size": batch_size})
    if not np.isfinite(frequency).all() or (frequency < 0).any() or not (frequency > 0).any():
        raise UsageError(
            "Frequencies must be finite, at least 0, and not all 0",
            received={
                "products": len(frequency),
                "above_0": int(np.sum(frequency > 0)),
                "negative": int(np.sum(frequency < 0)),
                "not_finite": int(np.sum(~np.isfinite(frequency))),
            },
            remedy="Count the positives of the training pairs.",
        )
    counts = frequency.astype(np.float64)
    floored = np.maximum(counts, counts[counts > 0].min())
    return (np.log(floored) + np.log(batch_size / counts.sum())).astype(np.float32)


class UniformNegatives:
    """Draws one set of distinct products per batch, uniformly, shared by all its rows.

    These negatives take no `log_sampling`. Each product is expected num_negatives / num_allowed times, the
    same for all, so no product is favoured over another; only the balance with the positive would move, by
    the constant log(num_negatives / num_allowed). Without it the loss is a softmax over the drawn set: its
    size decides how hard the task is, and its weight in the total is set by hand. With every product drawn
    the constant is 0 and the loss is the full softmax.

    Args:
        num_products: Size of the catalogue.
        num_negatives: Products to draw; all of them where there are no more.
        allowed: Product indices to draw from, such as `products_on_sale`; without it the whole catalogue.

    Raises:
        UsageError: If a number is below 1, or `allowed` is empty or leaves the catalogue.
    """

    def __init__(
        self,
        num_products: int,
        num_negatives: int,
        *,
        allowed: Int64[np.ndarray, " allowed"] | None = None,
    ) -> None:
        if num_products < 1 or num_negatives < 1:
            raise UsageError(
                "num_products and num_negatives must be at least 1",
                received={"num_products": num_products, "num_negatives": num_negatives},
            )
        self._allowed = None if allowed is None else _distinct_products(allowed, num_products)
        self._num_allowed = num_products if self._allowed is None else len(self._allowed)
        self._num_drawn = min(num_negatives, self._num_allowed)

    def draw(self, rng: np.random.Generator) -> Int64[np.ndarray, " negatives"]:
        """Return a set of distinct product indices, in no particular order; advances `rng`."""
        drawn = rng.choice(self._num_allowed, size=self._num_drawn, replace=False, shuffle=False)
        return drawn if self._allowed is None else self._allowed[drawn]


def products_on_sale(
    created_at: Shaped[np.ndarray, " products"], removed_at: Shaped[np.ndarray, " products"], *, at: np.datetime64
) -> Int64[np.ndarray, " on_sale"]:
    """Return the products that could be bought at a time: created at or before it, and removed after it or never.

    Args:
        created_at: datetime64; NaT where the product was always there.
        removed_at: datetime64; NaT where it was never removed.
        at: The time, such as that of the snapshot which a batch's features are of.

    >>> created = np.array(["2024-01-01", "2024-03-01", "NaT"], "datetime64[us]")
    >>> removed = np.array(["2024-02-01", "NaT", "NaT"], "datetime64[us]")
    >>> products_on_sale(created, removed, at=np.datetime64("2024-02-01")).tolist()
    [2]
    """
    # Comparisons with NaT are False.
    return np.flatnonzero(~(created_at > at) & ~(removed_at <= at))


def _distinct_products(allowed: Int64[np.ndarray, " allowed"], num_products: int) -> Int64[np.ndarray, " distinct"]:
    distinct = np.unique(allowed)
    if len(distinct) == 0:
        raise UsageError(
            "At least one product must be allowed as a negative",
            received={"allowed": 0},
            remedy="Check which products are on sale at the time of this batch.",
        )
    if distinct[0] < 0 or distinct[-1] >= num_products:
        raise UsageError(
            f"Allowed products must be indices from 0 to {num_products - 1}",
            received={"least": int(distinct[0]), "greatest": int(distinct[-1])},
        )
    return distinct
