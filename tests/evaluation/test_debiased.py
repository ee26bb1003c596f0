import numpy as np
import pytest

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import Ranking
from aisle.evaluation import clipped_weights, debiased_recall
from aisle.measures import Qrels


def rank(rows) -> Ranking:
    return Ranking(np.array(rows, np.int64), np.zeros(np.shape(rows), np.float32))


def pairs(query, product, num_queries) -> Qrels:
    return Qrels.from_triples(
        query_index=np.array(query, np.int64),
        product_index=np.array(product, np.int64),
        grade=np.ones(len(query)),
        num_queries=num_queries,
    )


def test_weights_are_cut_and_what_is_not_known_counts_once():
    assert clipped_weights(np.array([1.0, 0.25, 0.001, np.nan]), most=100).tolist() == [1, 4, 100, 1]


def test_by_hand():
    # Two positives were shown for sure and are found; one that was shown to one in four is not.
    found = debiased_recall(
        {"a": rank([[0, 9], [1, 9], [9, 2]])},
        pairs([0, 1, 2], [0, 1, 2], 3),
        propensity=np.array([1.0, 1.0, 0.25]),
        most=10,
        ks=[1, 2],
        seed=0,
    )
    assert found.plain["a"]["R@1"].value == pytest.approx(2 / 3)
    assert found.debiased["a"]["R@1"].value == pytest.approx(2 / 6)
    assert found.debiased["a"]["R@2"].value == 1
    assert found.effective_positives == pytest.approx(6**2 / (1 + 1 + 16))
    assert (found.num_positives, found.clipped_share) == (3, 0)
    cut = debiased_recall(
        {"a": rank([[0], [1], [9]])},
        pairs([0, 1, 2], [0, 1, 2], 3),
        propensity=np.array([1.0, 1.0, 0.25]),
        most=2,
        ks=[1],
        seed=0,
    )
    assert cut.debiased["a"]["R@1"].value == pytest.approx(2 / 4)
    assert cut.clipped_share == pytest.approx(1 / 3)


def test_undoes_what_the_logging_search_prefers():
    # Each query wants one of two products evenly. The log shows the first kind always, the second to one in five;
    # system a finds the first kind alone, b the second alone: both find half of what is wanted.
    rng = np.random.default_rng(0)
    wanted = rng.integers(0, 2, 4_000)
    propensity = np.where(wanted == 0, 1.0, 0.2)
    logged = np.flatnonzero(rng.random(4_000) < propensity)
    systems = {name: rank(np.full((4_000, 1), kind)) for kind, name in enumerate("ab")}
    found = debiased_recall(
        systems,
        pairs(logged, wanted[logged], 4_000),
        propensity=propensity[logged],
        most=10,
        ks=[1],
        seed=0,
    )
    assert found.plain["a"]["R@1"].value > 0.8
    for name in "ab":
        estimate = found.debiased[name]["R@1"]
        assert estimate.value == pytest.approx(0.5, abs=0.04)
        assert estimate.low < 0.5 < estimate.high


def test_nothing_logged_is_nothing_known():
    found = debiased_recall({"a": rank([[1]])}, pairs([], [], 1), propensity=np.array([]), most=10, ks=[1], seed=0)
    assert np.isnan(found.debiased["a"]["R@1"].value)
    assert found.effective_positives == 0


def test_bad_input_is_refused():
    with pytest.raises(ShapeError, match=r"one propensity per positive\. Received: propensities=2, positives=1"):
        debiased_recall({}, pairs([0], [0], 1), propensity=np.ones(2), most=10, ks=[1], seed=0)
    for propensity, most in ((0.0, 10), (1.5, 10), (0.5, 0.5)):
        with pytest.raises(UsageError, match="Propensities must lie above 0 and at most at 1"):
            clipped_weights(np.array([propensity]), most=most)
