from types import SimpleNamespace

import numpy as np
import pytest

from aisle.measures import Qrels
from aisle.towers.sharing import ALONE
from aisle.training import Validation, validation
from aisle.training.validation import validation_measures


class FixedVectors:
    """Stands for a model: the vectors are the features."""

    sharing = ALONE

    def encode_product_features(self, features):
        return np.asarray(features, np.float32)

    def encode_query_features(self, features):
        return np.asarray(features, np.float32)


def measures_of(queries, products, relevant, *, shallow=1, deep=1, grade=1.0):
    """Measures of queries, whose relevant products are listed per query."""
    triples = [(query, product) for query, listed in enumerate(relevant) for product in listed]
    query, product = np.array(triples, np.int64).reshape(-1, 2).T
    qrels = Qrels.from_triples(
        query_index=query, product_index=product, grade=np.full(len(query), grade), num_queries=len(relevant)
    )
    data = SimpleNamespace(product_features=products, validation=Validation(queries, qrels))
    return validation_measures(FixedVectors(), data, shallow=shallow, deep=deep)


def recall_of(queries, products, relevant, *, k, grade=1.0):
    return measures_of(queries, products, relevant, deep=k, grade=grade)["R@100"]


def test_by_eye():
    queries, products = np.eye(2), np.array([[3.0, 1.0], [2.0, 2.0], [1.0, 3.0]])
    # The first query ranks 0, 1, 2 and the second 2, 1, 0.
    assert recall_of(queries, products, [[0], [0]], k=1) == 0.5
    assert recall_of(queries, products, [[1], [1]], k=1) == 0.0
    assert recall_of(queries, products, [[1], [0]], k=2) == 0.5


def test_more_relevant_products_than_places_can_still_reach_1():
    queries, products = np.ones((1, 1)), np.array([[3.0], [2.0], [1.0]])
    assert recall_of(queries, products, [[0, 1, 2]], k=2) == pytest.approx(1.0)
    assert recall_of(queries, products, [[0, 2]], k=2) == pytest.approx(0.5)
    assert recall_of(queries, products, [[0, 1]], k=1) == pytest.approx(1.0)


def test_a_catalogue_of_fewer_products_than_places_is_found_whole():
    assert recall_of(np.ones((2, 1)), np.ones((3, 1)), [[0, 1, 2], [2]], k=100) == pytest.approx(1.0)


def test_grades_below_1_are_relevant_and_queries_without_products_do_not_count():
    queries, products = np.eye(3), np.eye(3)
    assert recall_of(queries, products, [[0], [], [1]], k=1, grade=0.25) == pytest.approx(0.5)


def test_agrees_with_a_slow_computation(monkeypatch):
    monkeypatch.setattr(validation, "_QUERIES_AT_ONCE", 7)
    rng = np.random.default_rng(2)
    queries, products = rng.normal(size=(30, 4)), rng.normal(size=(50, 4))
    relevant = [rng.choice(50, rng.integers(0, 40), replace=False).tolist() for _ in range(30)]
    for k in (1, 10, 49, 50, 80):
        expected = []
        for query, listed in zip(queries, relevant, strict=True):
            if listed:
                best = sorted(range(50), key=lambda one: -(products[one] @ query))[:k]
                expected.append(len(set(best) & set(listed)) / min(len(listed), k))
        assert recall_of(queries, products, relevant, k=k) == pytest.approx(np.mean(expected))


def test_a_real_model_is_read_through_its_features(data, make_model):
    """As many places as products find all; one place cannot find two of the three that answer each query."""
    assert validation_measures(make_model(), data, deep=120)["R@100"] == 1.0
    assert validation_measures(make_model(), data, deep=1)["R@100"] < 0.5


def test_the_three_measures_look_at_their_own_places():
    queries, products = np.eye(2), np.array([[3.0, 1.0], [2.0, 2.0], [1.0, 3.0]])
    # What is to be found stands second for both.
    found = measures_of(queries, products, [[1], [1]], shallow=1, deep=2)
    assert found == {"R@10": 0.0, "R@100": 1.0, "nDCG@10": 0.0}
    found = measures_of(queries, products, [[1], [1]], shallow=2, deep=1)
    assert found == pytest.approx({"R@10": 1.0, "R@100": 0.0, "nDCG@10": 1 / np.log2(3)})


def test_order_decides_ndcg_alone():
    products = np.array([[3.0], [2.0], [1.0], [0.5]])
    first, last = (measures_of(np.ones((1, 1)), products, [[one]], shallow=3, deep=3) for one in (0, 2))
    assert first == {"R@10": 1.0, "R@100": 1.0, "nDCG@10": 1.0}
    assert last == pytest.approx({"R@10": 1.0, "R@100": 1.0, "nDCG@10": 0.5})
