import numpy as np
import pytest

from aisle.boosting import CandidatePool
from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.measures import Qrels, grades_of, ndcg, recall


def qrels_of(pairs, num_queries):
    query, product = np.array(pairs, np.int64).reshape(-1, 2).T
    return Qrels.from_triples(
        query_index=query, product_index=product, grade=np.ones(len(query)), num_queries=num_queries
    )


def random_pool(seed, *, searches=30, products=400, depth=250):
    rng = np.random.default_rng(seed)
    score = rng.standard_normal((searches, products)).astype(np.float32)
    index = np.argsort(-score, axis=1, kind="stable")[:, :depth]
    ranking = Ranking(index, np.take_along_axis(score, index, axis=1))
    pairs = [(row, product) for row in range(0, searches, 2) for product in rng.choice(products, 3, replace=False)]
    return ranking, qrels_of(pairs, searches)


def test_a_boost_lifts_a_product_by_eye():
    ranking = Ranking(np.array([[7, 3, NO_PRODUCT]]), np.array([[0.9, 0.5, -np.inf]], np.float32))
    pool = CandidatePool.of_ranking(ranking, qrels_of([(0, 3)], 1))
    boost = np.zeros(8, np.float32)
    assert pool.measure(boost).tolist() == [[1.0, pytest.approx(1 / np.log2(3))]]
    boost[3] = 0.5
    assert pool.measure(boost).tolist() == [[1.0, 1.0]]
    assert pool.spread == pytest.approx(0.4)


def test_what_is_no_candidate_cannot_be_found():
    ranking = Ranking(np.array([[7, 3]]), np.array([[0.9, 0.5]], np.float32))
    pool = CandidatePool.of_ranking(ranking, qrels_of([(0, 3), (0, 5)], 1))
    assert pool.measure(np.full(8, 9.0, np.float32))[0, 0] == 0.5


@pytest.mark.parametrize("seed", range(3))
def test_measures_are_those_of_the_ranking_that_the_boost_gives(seed):
    ranking, qrels = random_pool(seed)
    boost = np.random.default_rng(seed + 100).normal(0, 0.5, 400).astype(np.float32)
    score = ranking.score + boost[ranking.product_index]
    order = np.argsort(-score, axis=1, kind="stable")
    raised = Ranking(np.take_along_axis(ranking.product_index, order, axis=1), np.take_along_axis(score, order, axis=1))
    grades = grades_of(raised, qrels)
    expected = np.column_stack([recall(grades, qrels, k=100), ndcg(grades, qrels, k=10)])[::2]
    pool = CandidatePool.of_ranking(ranking, qrels)
    assert len(pool) == 15
    assert pool.measure(boost) == pytest.approx(expected)
    assert not np.allclose(pool.measure(boost), pool.measure(np.zeros_like(boost)))


def test_a_part_measures_as_the_whole_does():
    ranking, qrels = random_pool(4)
    pool, boost = CandidatePool.of_ranking(ranking, qrels), np.linspace(0, 1, 400).astype(np.float32)
    chosen = np.array([11, 2, 5])
    assert pool.part(chosen).measure(boost) == pytest.approx(pool.measure(boost)[chosen])


def test_without_searches_nothing_is_measured():
    pool = CandidatePool.of_ranking(Ranking(np.empty((0, 5), np.int64), np.empty((0, 5), np.float32)), qrels_of([], 0))
    assert (len(pool), pool.spread) == (0, 0.0)
