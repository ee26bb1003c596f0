import numpy as np
import pytest

from aisle.core.ranking import Ranking
from aisle.evaluation import paired_test
from aisle.pipelines.boost_gain import ALL, boost_gains, gain_values


def test_gains_are_told_by_slice_and_have_the_sign_of_what_was_done(learnt_shop):
    def rank(searches):
        index = np.full((len(searches), 100), -1, np.int64)
        wrong = Ranking(index, np.full(index.shape, -np.inf, np.float32))
        index, score = index.copy(), wrong.score.copy()
        index[:, 0], score[:, 0] = searches.wanted.product_index[searches.wanted.offsets[:-1]], 1.0
        right = Ranking(index, score)
        return {"better": (wrong, right), "worse": (right, wrong), "same": (right, right)}

    told = boost_gains(learnt_shop, rank, max_searches=50, seed=0)
    assert list(told) == ["log"]
    assert told["log"]["labelled"] == "orders"
    systems = told["log"]["systems"]
    assert {ALL, "signed in"} <= set(systems["better"])
    better, worse, same = (systems[name][ALL]["R@100"] for name in ("better", "worse", "same"))
    assert (better["without"], better["with"], better["gain"]) == (0, 1, 1)
    assert worse["gain"] == -1
    assert (same["gain"], same["low"], same["high"], same["p"]) == (0, 0, 0, 1)
    assert systems["better"][ALL]["searches"] > 5


def test_what_has_no_interval_is_null():
    test = paired_test(np.ones((1, 1)), np.zeros((1, 1)), seed=0)
    assert gain_values(test, 0) == {"gain": 1.0, "low": None, "high": None, "p": pytest.approx(1.0)}
