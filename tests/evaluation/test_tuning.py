import numpy as np
import pytest

from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.evaluation import tune_semantic_weight
from aisle.measures import Qrels

QRELS = Qrels.from_triples(
    query_index=np.array([0, 1]), product_index=np.array([3, 4]), grade=np.array([1.0, 1.0]), num_queries=2
)
TEXTS = ["lamp", "dress"]


class Side:
    """Ranks the same products for every query, with falling positive scores."""

    def __init__(self, name, *products):
        self.name, self.products, self.asked = name, products, []

    def retrieve(self, queries, *, k):
        self.asked.append(k)
        index = np.full((len(queries), k), NO_PRODUCT, np.int64)
        score = np.full((len(queries), k), -np.inf, np.float32)
        kept = self.products[:k]
        index[:, : len(kept)], score[:, : len(kept)] = kept, np.arange(len(kept), 0, -1)
        return Ranking(index, score)


RIGHT, WRONG = Side("right", 3, 4, 0, 1, 2), Side("wrong", 0, 1, 2, 5, 6)


def tuned(lexical, semantic, *, fusion="normalised", qrels=QRELS, depth=100):
    return tune_semantic_weight(lexical, semantic, TEXTS, qrels, fusion=fusion, depth=depth)


@pytest.mark.parametrize("fusion", ["normalised", "reciprocal_rank"])
def test_the_side_that_answers_gets_the_weight(fusion):
    assert tuned(WRONG, RIGHT, fusion=fusion) > 0.5
    assert tuned(RIGHT, WRONG, fusion=fusion) < 0.5


@pytest.mark.parametrize("fusion", ["normalised", "reciprocal_rank"])
def test_of_equal_weights_the_middle_one_is_taken(fusion):
    assert tuned(RIGHT, RIGHT, fusion=fusion) == 0.5
    assert tuned(Side("none"), Side("none"), fusion=fusion) == 0.5


def test_queries_without_a_relevant_product_do_not_count():
    qrels = Qrels.from_triples(
        query_index=np.array([0, 1]), product_index=np.array([3, 0]), grade=np.array([1.0, 0.0]), num_queries=2
    )
    assert tuned(WRONG, RIGHT, qrels=qrels) > 0.5


def test_candidates_are_taken_once_to_the_depth_but_to_100_at_least():
    for depth, asked in ((7, 100), (300, 300)):
        lexical, semantic = Side("lexical", 0, 1), Side("semantic", 3, 4)
        tuned(lexical, semantic, depth=depth)
        assert lexical.asked == semantic.asked == [asked]
