import json

import numpy as np
import pytest

from aisle.core.ranking import NO_PRODUCT, QueryBatch, Ranking
from aisle.retrieval import Explained, Side, retrieve_explained
from aisle.retrieval.explanation import parts_of_pairs

VECTORS = np.array([[1, 0, 2], [0, 1, 1], [3, 1, 0]], np.float32)


def halves(queries, products):
    piece = queries * products
    return {"left": piece[:, :1].sum(1), "right": piece[:, 1:].sum(1)}


def explained():
    ranking = Ranking(np.array([[2, 0], [1, NO_PRODUCT]]), np.array([[0.9, 0.4], [0.7, -np.inf]], np.float32))
    side = Side(
        weight=np.array([0.25, 1.0]),
        rank=np.array([[3, 0], [1, 0]]),
        score=np.array([[7.5, np.nan], [2.5, np.nan]], np.float32),
        normalised=np.array([[0.8, 0.0], [1.0, 0.0]]),
    )
    parts = {"term": np.array([[0.5, 0.3], [0.7, np.nan]], np.float32), "text": np.array([[-0.1, 0.1], [0, np.nan]])}
    return Explained(ranking, parts, {"lexical": side})


def test_each_pair_is_split_and_empty_places_are_nan():
    queries = np.array([[1, 2, 0], [0, 0, 1]], np.float32)
    index = np.array([[2, 0], [1, NO_PRODUCT]])
    parts = parts_of_pairs(halves, queries, lambda wanted: VECTORS[wanted], index)
    np.testing.assert_array_equal(parts["left"], [[3, 1], [0, np.nan]])
    np.testing.assert_array_equal(parts["right"], [[2, 0], [1, np.nan]])


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(0)
    queries, index = rng.normal(size=(7, 3)).astype(np.float32), rng.integers(-1, 3, (7, 5))
    whole = parts_of_pairs(halves, queries, lambda wanted: VECTORS[wanted], index)
    monkeypatch.setattr("aisle.retrieval.explanation._PAIRS_AT_ONCE", 4)
    blocks = parts_of_pairs(halves, queries, lambda wanted: VECTORS[wanted], index)
    for name, scores in whole.items():
        np.testing.assert_array_equal(blocks[name], scores)


def test_where_nothing_was_found_the_parts_still_have_names():
    parts = parts_of_pairs(halves, np.zeros((1, 3), np.float32), lambda wanted: VECTORS[wanted], np.array([[-1]]))
    assert list(parts) == ["left", "right"]
    assert all(np.isnan(scores).tolist() == [[True]] for scores in parts.values())


def test_one_place_as_plain_values():
    told = explained().of_place(0, 0)
    side = {"weight": 0.25, "rank": 3, "score": 7.5, "normalised": 0.8, "adds": 0.2}
    assert told["sides"] == {"lexical": pytest.approx(side)}
    assert told["semantic_score"] == pytest.approx(0.4)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    absent = explained().of_place(0, 1)["sides"]["lexical"]
    assert absent == {"weight": 0.25, "rank": None, "score": None, "normalised": 0.0, "adds": 0.0}


def test_what_is_not_kept_is_taken_out_everywhere():
    kept = explained().kept(np.array([[False, True], [True, False]]), k=1)
    assert kept.ranking.product_index.tolist() == [[0], [1]]
    np.testing.assert_allclose(kept.parts["term"], [[0.3], [0.7]])
    assert kept.sides["lexical"].rank.tolist() == [[0], [1]]
    none = explained().kept(np.zeros((2, 2), bool), k=2)
    assert (none.ranking.product_index == NO_PRODUCT).all()
    assert np.isneginf(none.ranking.score).all()
    assert np.isnan(none.parts["text"]).all()


def test_a_retriever_without_explanations_has_none(fixed_retriever):
    answer = retrieve_explained(fixed_retriever({"shoe": [(1, 0.5)]}), QueryBatch(["shoe"]), k=2)
    assert answer.ranking.product_index.tolist() == [[1, NO_PRODUCT]]
    assert answer.of_place(0, 0) is None
