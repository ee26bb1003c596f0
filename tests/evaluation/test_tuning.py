import numpy as np
import pytest

from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.evaluation import tune_semantic_weight
from aisle.measures import Qrels

QRELS = Qrels.from_triples(
    query_index=np.array([0, 1]), product_index=np.array([3, 4]), grade=np.array([1.0, 1.0]), num_queries=2
)


def side(*products):
    """Rank the same products for both queries, with falling positive scores."""
    index = np.full((2, 100), NO_PRODUCT, np.int64)
    score = np.full((2, 100), -np.inf, np.float32)
    index[:, : len(products)], score[:, : len(products)] = products, np.arange(len(products), 0, -1)
    return Ranking(index, score)


RIGHT, WRONG = side(3, 4, 0, 1, 2), side(0, 1, 2, 5, 6)


def tuned(lexical, semantic, *, fusion="normalised", qrels=QRELS):
    return tune_semantic_weight(lexical, semantic, qrels, fusion=fusion)


@pytest.mark.parametrize("fusion", ["normalised", "reciprocal_rank"])
def test_the_side_that_answers_gets_the_weight(fusion):
    assert tuned(WRONG, RIGHT, fusion=fusion) > 0.5
    assert tuned(RIGHT, WRONG, fusion=fusion) < 0.5


@pytest.mark.parametrize("fusion", ["normalised", "reciprocal_rank"])
def test_of_equal_weights_the_middle_one_is_taken(fusion):
    assert tuned(RIGHT, RIGHT, fusion=fusion) == 0.5
    assert tuned(side(), side(), fusion=fusion) == 0.5


def test_queries_without_a_relevant_product_do_not_count():
    qrels = Qrels.from_triples(
        query_index=np.array([0, 1]), product_index=np.array([3, 0]), grade=np.array([1.0, 0.0]), num_queries=2
    )
    assert tuned(WRONG, RIGHT, qrels=qrels) > 0.5
