"""Recall of logged positives, weighed so that what the log shows rarely counts for its like that it did not show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import Ranking
from aisle.evaluation.bootstrap import bootstrap_ratio_intervals
from aisle.evaluation.places import places_of
from aisle.evaluation.summary import Estimate
from aisle.measures import Qrels

__all__ = ["DebiasedRecall", "clipped_weights", "debiased_recall"]


@dataclass(frozen=True)
class DebiasedRecall:
    """Recall of logged positives with and without their weights.

    Attributes:
        num_positives: Logged positives.
        effective_positives: How many of equal weight would tell as much.
        clipped_share: Share of the positives whose weight was cut.
        plain: System → "R@k" → share of the positives that are found, each counted once.
        debiased: The same with weights.
    """

    num_positives: int
    effective_positives: float
    clipped_share: float
    plain: dict[str, dict[str, Estimate]]
    debiased: dict[str, dict[str, Estimate]]


def clipped_weights(propensity: Float64[np.ndarray, " positives"], *, most: float) -> Float64[np.ndarray, " positives"]:
    """Return min(1 / propensity, most).

    Args:
        propensity: Probability that the product was shown and looked at, above 0 and at most 1; NaN where not known,
            which counts as 1.
        most: Largest weight, at least 1. Larger: less bias, more variance.

    Raises:
        UsageError: If a propensity lies outside (0, 1], or `most` is below 1.
    """
    known = np.where(np.isnan(propensity), 1.0, propensity)
    if most < 1 or np.any((known <= 0) | (known > 1)):
        raise UsageError(
            "Propensities must lie above 0 and at most at 1, and the largest weight at 1 or more",
            received={"least": float(known.min(initial=1)), "greatest": float(known.max(initial=0)), "most": most},
            remedy="A propensity is the probability that the product was shown at its place.",
        )
    return np.minimum(1.0 / known, most)


def debiased_recall(
    rankings: Mapping[str, Ranking],
    positives: Qrels,
    *,
    propensity: Float64[np.ndarray, " positives"],
    most: float,
    ks: Sequence[int],
    seed: int,
) -> DebiasedRecall:
    """Return self-normalised, clipped inverse-propensity recall: Σ w·[found in the first k] / Σ w over all positives.

    An order is logged where a product was shown and looked at, so products that the logging search likes are
    over-represented among logged orders in proportion to their propensity. Weights of 1/propensity undo it, as far as
    every product that might have been ordered could have been shown. Dividing by the sum of weights instead of its
    expectation, and cutting large weights, trade a little bias for much variance.

    Args:
        rankings: System → results, row i for query i, at least as deep as the largest k.
        positives: Logged positives of every query.
        propensity: Of each of them, in their order; NaN where not known.
        most: Largest weight.
        ks: Cut-offs.
        seed: Seed of the resamples of queries.

    Raises:
        ShapeError: If there is not one propensity per positive.
        UsageError: If a propensity or `most` is out of range.

    Source: Yang, Cui, Xuan, Wang, Belongie and Estrin 2018, "Unbiased offline recommender evaluation for
    missing-not-at-random implicit feedback", section 3.2; self-normalisation after Swaminathan and Joachims 2015,
    section 5; clipping after Ionides 2008.
    """
    if len(propensity) != len(positives.grade):
        raise ShapeError(
            "There must be one propensity per positive",
            received={"propensities": len(propensity), "positives": len(positives.grade)},
        )
    weight = clipped_weights(propensity, most=most)
    hits = {name: places_of(ranking, positives)[:, None] <= np.array(ks) for name, ranking in rankings.items()}
    total = float(weight.sum())
    return DebiasedRecall(
        num_positives=len(weight),
        effective_positives=total**2 / float((weight**2).sum()) if total else 0.0,
        clipped_share=float((1.0 / np.where(np.isnan(propensity), 1.0, propensity) > most).mean()) if total else 0.0,
        plain=_shares(hits, np.ones(len(weight)), positives, ks=ks, seed=seed),
        debiased=_shares(hits, weight, positives, ks=ks, seed=seed),
    )


def _shares(
    hits: Mapping[str, Bool[np.ndarray, "positives ks"]],
    weight: Float64[np.ndarray, " positives"],
    positives: Qrels,
    *,
    ks: Sequence[int],
    seed: int,
) -> dict[str, dict[str, Estimate]]:
    """Return the weighed share of the positives that each system finds; all share one set of resamples."""
    together = np.concatenate(list(hits.values()), axis=1)
    below = _by_query(weight, positives)
    above = np.column_stack([_by_query(weight * column, positives) for column in together.T])
    is_asked = below > 0
    low, high = bootstrap_ratio_intervals(above[is_asked], below[is_asked], seed=seed)
    value = above.sum(axis=0) / below.sum() if is_asked.any() else np.full(len(low), np.nan)
    rows = iter([Estimate(*row) for row in zip(value.tolist(), low.tolist(), high.tolist(), strict=True)])
    return {name: {f"R@{k}": next(rows) for k in ks} for name in hits}


def _by_query(values: Float64[np.ndarray, " positives"], positives: Qrels) -> Float64[np.ndarray, " queries"]:
    return np.bincount(positives.query_index, weights=values, minlength=positives.num_queries)
