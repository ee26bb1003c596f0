import warnings

import numpy as np
import pytest

from aisle.boosting import CandidatePool, QualityFeatures, find_weights
from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import Ranking
from aisle.measures import Qrels

PRODUCTS, SEARCHES = 300, 400


def planted(*, strength, seed=0):
    """Searches whose orders follow a score and, by `strength`, the first feature; the second is noise."""
    rng = np.random.default_rng(seed)
    features = QualityFeatures.of_columns({"quality": rng.random(PRODUCTS), "noise": rng.random(PRODUCTS)})
    score = rng.normal(0, 0.3, (SEARCHES, PRODUCTS)).astype(np.float32)
    utility = score + strength * features.values[:, 0] + rng.gumbel(0, 0.15, score.shape)
    index = np.argsort(-score, axis=1, kind="stable")
    qrels = Qrels.from_triples(
        query_index=np.arange(SEARCHES),
        product_index=utility.argmax(axis=1),
        grade=np.ones(SEARCHES),
        num_queries=SEARCHES,
    )
    ranking = Ranking(index, np.take_along_axis(score, index, axis=1))
    return CandidatePool.of_ranking(ranking, qrels), features


def found(pool, features, *, trials=25, seed=0, queries=None, advance=lambda *_: None):
    queries = queries or [f"query {number}" for number in range(len(pool))]
    return find_weights(pool, features, queries=queries, trials=trials, seed=seed, advance=advance)


def test_a_planted_quality_is_found_and_kept():
    pool, features = planted(strength=1.0)
    best = found(pool, features)
    assert best.is_kept
    assert best.gain.low[-1] > 0.05
    assert best.weights[0] > 2 * abs(best.weights[1])
    assert "add +" in best.reason


def test_noise_is_not_kept():
    pool, features = planted(strength=0.0)
    best = found(pool, features)
    assert not best.is_kept
    assert best.gain.low[-1] <= 0
    # On the searches that chose them the weights do look good: that is why others decide.
    zero = np.zeros(PRODUCTS, np.float32)
    boosted = pool.measure(features.boost(best.weights, limit=best.limit))
    assert (boosted - pool.measure(zero)).sum(axis=1).mean() >= 0


def test_equal_seeds_give_equal_weights_and_every_trial_is_told():
    pool, features = planted(strength=0.5)
    told = []
    first = found(pool, features, trials=6, advance=lambda done, note="": told.append(done))
    again = found(pool, features, trials=6)
    assert np.array_equal(first.weights, again.weights)
    assert np.array_equal(first.gain.low, again.gain.low)
    assert sum(told) == 18
    assert not np.array_equal(first.weights, found(pool, features, trials=6, seed=1).weights)


def test_equal_queries_stay_on_one_side_so_one_query_alone_cannot_be_measured():
    pool, features = planted(strength=1.0)
    best = found(pool, features, queries=["lamp"] * len(pool))
    assert (best.is_kept, best.gain) == (False, None)
    assert "too few" in best.reason


def test_without_features_nothing_is_kept():
    pool, _ = planted(strength=1.0)
    best = found(pool, QualityFeatures((), np.empty((PRODUCTS, 0), np.float32)))
    assert (best.is_kept, best.weights.size) == (False, 0)
    assert "nothing is known" in best.reason


def test_the_log_of_optuna_is_quiet(capsys):
    pool, features = planted(strength=0.5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found(pool, features, trials=2)
    assert capsys.readouterr() == ("", "")


def test_bad_input_is_refused():
    pool, features = planted(strength=0.5)
    with pytest.raises(UsageError, match="at least one trial"):
        found(pool, features, trials=0)
    with pytest.raises(ShapeError, match="one query per search"):
        found(pool, features, queries=["lamp"])
