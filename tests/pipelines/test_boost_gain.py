import numpy as np
import pytest

from aisle.core.ranking import Ranking
from aisle.evaluation import OnSale, paired_test
from aisle.pipelines.boost_gain import ALL, boost_gains, gain_values
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.searching import load_retrievers


class Nothing:
    """Finds no product whatever is asked."""

    name = "nothing"

    def retrieve(self, queries, *, k):
        shape = (len(queries), k)
        return Ranking(np.full(shape, -1, np.int64), np.full(shape, -np.inf, np.float32))


def test_gains_are_told_by_slice_and_have_the_sign_of_what_was_done(learnt_shop):
    (lexical,) = load_retrievers(learnt_shop, ["lexical"]).values()
    on_sale = OnSale.of_products(read_products(learnt_shop))
    pairs = {"better": (Nothing(), lexical), "worse": (lexical, Nothing()), "same": (lexical, lexical)}
    told = boost_gains(learnt_shop, pairs, on_sale, max_searches=50, seed=0)
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
