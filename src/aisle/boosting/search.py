"""The weights of a boost, found by Optuna on validation searches, and what they earn on other queries."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float64

from aisle.boosting.candidates import CandidatePool
from aisle.boosting.features import QualityFeatures
from aisle.core.errors import ShapeError, UsageError
from aisle.core.progress import Advance
from aisle.core.rng import stream_seed
from aisle.evaluation import PairedTest, paired_test

if TYPE_CHECKING:
    from optuna import Trial

__all__ = ["FoundWeights", "find_weights", "num_trials"]

_FOLDS = 2
_LEAST_SEARCHES = 50
"""Fewer searches in a fold than this say nothing of several weights."""

_SEED_MODULUS = 2**31
"""Optuna's samplers take seeds of 32 bits."""


@dataclass(frozen=True, eq=False)
class FoundWeights:
    """The best weights, and what they are worth.

    Attributes:
        weights: One per feature, found on all searches.
        limit: Largest boost, in either direction.
        gain: What weights found on half of the queries add to the measures of the other half, over all searches, with
            95 % bootstrap intervals; the last column is the sum of the measures. None where too few searches were
            there to look for any.
        searches: Searches that were measured.
        reason: In words, why the boost is kept or not.
        is_kept: Whether the sum gains beyond its interval.
    """

    weights: Float64[np.ndarray, " features"]
    limit: float
    gain: PairedTest | None
    searches: int
    reason: str
    is_kept: bool


def num_trials(trials: int) -> int:
    """Return the steps of a search that is given this many trials: for each fold, and for all searches."""
    return trials * (_FOLDS + 1)


def find_weights(
    pool: CandidatePool,
    features: QualityFeatures,
    *,
    queries: Sequence[str],
    trials: int,
    seed: int,
    advance: Advance,
) -> FoundWeights:
    """Look for the weights with the best mean of R@100 and nDCG@10, and decide whether they are kept.

    The best of many trials always looks good on the searches that chose it. So the queries are parted in two halves,
    weights are found on each and measured on the other, and the boost is kept only if that gain's interval lies above
    0. The weights that are returned are found on all searches.

    Args:
        pool: Validation searches with their candidates.
        features: Of all products.
        queries: Text of every search of the pool: equal ones stay in one half.
        trials: Trials of Optuna for each half, and for all.
        seed: Seed of the trials and of the resamples.
        advance: Told of every trial.

    Raises:
        UsageError: If there is no trial.
        ShapeError: If there is not one query per search.
    """
    if trials < 1:
        raise UsageError("There must be at least one trial", received={"trials": trials}, remedy="Leave --trials out.")
    if len(queries) != len(pool):
        raise ShapeError("There must be one query per search", received={"queries": len(queries), "pool": len(pool)})
    limit, nothing = pool.spread, np.zeros(len(features.names))
    in_first = _first_half(queries)
    folds = [np.flatnonzero(in_first), np.flatnonzero(~in_first)]
    if not features.names or limit <= 0 or min(map(len, folds)) < _LEAST_SEARCHES:
        advance(num_trials(trials))
        return FoundWeights(nothing, limit, None, len(pool), _too_little(pool, features), is_kept=False)
    gains = np.zeros((len(pool), 2))
    for number, (fitted_on, measured_on) in enumerate([folds, folds[::-1]]):
        weights = _best(pool.part(fitted_on), features, limit=limit, trials=trials, seed=(seed, number), told=advance)
        measured = pool.part(measured_on)
        boost = features.boost(weights, limit=limit)
        gains[measured_on] = measured.measure(boost) - measured.measure(np.zeros_like(boost))
    gains = np.column_stack([gains, gains.sum(axis=1)])
    test = paired_test(gains, np.zeros_like(gains), seed=seed)
    weights = _best(pool, features, limit=limit, trials=trials, seed=(seed, _FOLDS), told=advance)
    is_kept = bool(test.low[-1] > 0) and bool(weights.any())
    told = f"on queries they were not found on, weights add {test.difference[-1]:+.4f}"
    told += f" [{test.low[-1]:+.4f}, {test.high[-1]:+.4f}] to R@100 + nDCG@10"
    return FoundWeights(weights, limit, test, len(pool), told, is_kept=is_kept)


def _first_half(queries: Sequence[str]) -> Bool[np.ndarray, " searches"]:
    """Part queries by a hash of their text, the same on every machine."""
    return np.array([zlib.crc32(query.encode()) & 1 for query in queries], np.bool_)


def _too_little(pool: CandidatePool, features: QualityFeatures) -> str:
    if not features.names:
        return "nothing is known of the products' quality as of the end of training"
    return f"{len(pool)} validation searches are too few, or too much alike, to find weights on"


def _best(
    pool: CandidatePool,
    features: QualityFeatures,
    *,
    limit: float,
    trials: int,
    seed: tuple[int, int],
    told: Advance,
) -> Float64[np.ndarray, " features"]:
    """Return the weights of the best trial; the first one is no boost at all, and stays unless another is better."""
    import optuna

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)

    def quality(trial: Trial) -> float:
        weights = np.array([trial.suggest_float(name, -limit, limit) for name in features.names])
        value = float(pool.measure(features.boost(weights, limit=limit)).sum(axis=1).mean())
        told(1, f"{value:.4f}")
        return value

    try:
        sampler = optuna.samplers.TPESampler(seed=stream_seed(seed[0], "boost", seed[1]) % _SEED_MODULUS)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        study.enqueue_trial(dict.fromkeys(features.names, 0.0))
        study.optimize(quality, n_trials=trials)
    finally:
        optuna.logging.set_verbosity(before)
    # Of equal trials the earliest: no boost where nothing beats it.
    best = max(study.trials, key=lambda trial: (trial.value or 0.0, -trial.number))
    return np.array([best.params[name] for name in features.names])
