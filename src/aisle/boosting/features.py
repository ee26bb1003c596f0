"""What is known of a product's quality, scaled so that one weight means the same in every shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64
from scipy.stats import rankdata

from aisle.core.errors import ShapeError

__all__ = ["NEUTRAL", "QualityFeatures", "mid_ranks", "robust_scale"]

NEUTRAL = 0.5
"""Where nothing is known of a product: the middle, so that neither sign of a weight gains or loses it much."""

_LOW, _HIGH = 1.0, 99.0
_LEAST_SHARE = 0.01


@dataclass(frozen=True, eq=False)
class QualityFeatures:
    """Features of all products, each in [0, 1].

    Attributes:
        names: Name of each feature.
        values: A product per row.
    """

    names: tuple[str, ...]
    values: Float32[np.ndarray, "products features"]

    @classmethod
    def of_columns(cls, columns: Mapping[str, Float64[np.ndarray, " products"]]) -> QualityFeatures:
        """Join scaled columns; one that says the same of all products, or is known of hardly any, is left out.

        Args:
            columns: Name → values in [0, 1], NaN where not known.

        Raises:
            ShapeError: If the columns are not of one length.
        """
        if len({len(values) for values in columns.values()}) > 1:
            raise ShapeError(
                "All features must be of the same products",
                received={name: len(values) for name, values in columns.items()},
            )
        kept = {name: values for name, values in columns.items() if _tells(values)}
        num_products = len(next(iter(columns.values()))) if columns else 0
        stacked = np.column_stack(list(kept.values())) if kept else np.empty((num_products, 0))
        return cls(tuple(kept), np.nan_to_num(stacked, nan=NEUTRAL).astype(np.float32))

    def boost(self, weights: Float64[np.ndarray, " features"], *, limit: float) -> Float32[np.ndarray, " products"]:
        """Return `clip(⟨w, f(p)⟩)`, within `limit` on both sides of 0.

        Raises:
            ShapeError: If there is not one weight per feature.
        """
        if weights.shape != (len(self.names),):
            raise ShapeError(
                "There must be one weight per feature", received={"weights": weights.shape, "features": self.names}
            )
        return np.clip(self.values @ weights.astype(np.float32), -limit, limit).astype(np.float32)


def mid_ranks(values: Float64[np.ndarray, " products"]) -> Float64[np.ndarray, " products"]:
    """Return each value's place among the known ones, from 0 to 1; equal values share the middle of theirs.

    >>> mid_ranks(np.array([3.0, 1.0, np.nan, 3.0])).tolist()
    [0.75, 0.0, nan, 0.75]
    """
    ranks = rankdata(values, nan_policy="omit")
    return (ranks - 1.0) / max(1, int(np.isfinite(values).sum()) - 1)


def robust_scale(values: Float64[np.ndarray, " products"]) -> Float64[np.ndarray, " products"]:
    """Return values between 0, at their first percentile and below, and 1, at their 99th and above.

    A column that is constant between these is 0 where it is lowest and 1 above.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return np.full(len(values), np.nan)
    low, high = np.percentile(known, [_LOW, _HIGH])
    if high <= low:
        return np.where(np.isfinite(values), (values > low).astype(np.float64), np.nan)
    return np.clip((values - low) / (high - low), 0.0, 1.0)


def _tells(values: Float64[np.ndarray, " products"]) -> bool:
    known = values[np.isfinite(values)]
    return len(known) >= max(2, _LEAST_SHARE * len(values)) and float(np.ptp(known)) > 0
