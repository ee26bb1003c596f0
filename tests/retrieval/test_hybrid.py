import numpy as np
import pytest

from aisle.core.errors import UsageError
from aisle.core.ranking import NO_PRODUCT, PastEvents, QueryBatch, Retriever
from aisle.index import ExactIndex
from aisle.retrieval import (
    DEFAULT_SEMANTIC_WEIGHT,
    HybridRetriever,
    SemanticRetriever,
    fuse_normalised,
    fuse_reciprocal_rank,
)

LEXICAL = {"red": [(7, 8.0), (3, 5.0), (9, 2.0)], "odd": [(2, 1.0)]}
SEMANTIC = {"red": [(3, 0.9), (5, 0.6), (7, 0.5)], "new": [(6, 0.4), (1, 0.3)]}
QUERIES = QueryBatch(["red", "odd", "new", "none"])


@pytest.fixture
def sides(fixed_retriever):
    return fixed_retriever(LEXICAL), fixed_retriever(SEMANTIC)


def test_answers_with_both_sides_and_with_the_one_that_has_an_answer(sides):
    retriever = HybridRetriever(*sides, weight=0.4)
    assert isinstance(retriever, Retriever)
    ranking = retriever.retrieve(QUERIES, k=3)
    assert ranking.product_index.tolist() == [[3, 7, 5], [2, -1, -1], [6, 1, -1], [NO_PRODUCT] * 3]


@pytest.mark.parametrize(
    ("fusion", "fuse"), [("normalised", fuse_normalised), ("reciprocal_rank", fuse_reciprocal_rank)]
)
def test_the_fusion_and_the_weight_are_those_that_were_asked_for(sides, fusion, fuse):
    lexical, semantic = (side.retrieve(QUERIES, k=1000) for side in sides)
    expected = fuse(lexical, semantic, weight=0.7, k=4)
    ranking = HybridRetriever(*sides, weight=0.7, fusion=fusion).retrieve(QUERIES, k=4)
    np.testing.assert_array_equal(ranking.product_index, expected.product_index)
    np.testing.assert_array_equal(ranking.score, expected.score)


def test_the_default_weight_is_the_fixed_one(sides):
    default = HybridRetriever(*sides).retrieve(QUERIES, k=4)
    fixed = HybridRetriever(*sides, weight=DEFAULT_SEMANTIC_WEIGHT).retrieve(QUERIES, k=4)
    np.testing.assert_array_equal(default.score, fixed.score)


@pytest.mark.parametrize(("depth", "k", "asked"), [(50, 3, 50), (2, 5, 5)])
def test_each_side_is_asked_once_for_depth_or_k(sides, depth, k, asked):
    HybridRetriever(*sides, depth=depth).retrieve(QUERIES, k=k)
    assert [side.asked for side in sides] == [[(list(QUERIES.texts), asked)]] * 2


def test_a_product_beyond_the_depth_of_one_side_gets_nothing_from_it(sides):
    ranking = HybridRetriever(*sides, weight=0.4, depth=1).retrieve(QueryBatch(["red"]), k=1)
    assert ranking.product_index.tolist() == [[7]]


@pytest.mark.parametrize("bad", [{"weight": -0.1}, {"weight": float("nan")}, {"fusion": "sum"}, {"depth": 0}])
def test_settings_out_of_bounds_are_refused(sides, bad):
    with pytest.raises(UsageError, match=r"Hybrid retrieval needs a weight between 0 and 1, a fusion of normalised or"):
        HybridRetriever(*sides, **bad)


def test_k_below_one_is_refused(sides):
    with pytest.raises(UsageError, match="k must be at least 1"):
        HybridRetriever(*sides).retrieve(QUERIES, k=0)


def test_explained_results_are_the_same_and_both_sides_add_up(sides):
    for fusion in ("normalised", "reciprocal_rank"):
        retriever = HybridRetriever(*sides, weight=0.4, fusion=fusion)
        told, plain = retriever.retrieve_explained(QUERIES, k=3), retriever.retrieve(QUERIES, k=3)
        np.testing.assert_array_equal(told.ranking.product_index, plain.product_index)
        found = plain.product_index != NO_PRODUCT
        adds = told.sides["lexical"].adds + told.sides["semantic"].adds
        np.testing.assert_allclose(adds[found], plain.score[found], atol=1e-6)
        assert told.parts == {}


def test_what_words_alone_brought_has_semantic_parts_too(fixed_retriever):
    index = ExactIndex.build(np.array([[1, 0], [0.6, 0.8], [0, 1]], np.float32))
    semantic = SemanticRetriever(lambda texts: np.array([[1, 0]] * len(texts), np.float32), index)
    retriever = HybridRetriever(fixed_retriever({"red": [(2, 8.0)]}), semantic, depth=1, weight=0.4)
    told = retriever.retrieve_explained(QueryBatch(["red"]), k=2)
    # The depth is at least k: product 2 is third by meaning, and so not in the list of two.
    assert told.ranking.product_index.tolist() == [[2, 0]]
    assert told.sides["semantic"].rank.tolist() == [[0, 1]]
    assert told.parts["all"].tolist() == [[0.0, 1.0]]


class FixedGate:
    """Lets the queries of a set pass."""

    def __init__(self, *easy):
        self.easy, self.asked = easy, []

    def opens(self, texts, lexical, *, k):
        self.asked.append((lexical.k, k))
        return np.array([text in self.easy for text in texts], bool)


def test_easy_queries_have_the_answer_of_words_alone(sides):
    gate = FixedGate("red")
    ranking = HybridRetriever(*sides, weight=0.4, depth=50, gate=gate).retrieve(QUERIES, k=3)
    assert ranking.product_index.tolist() == [[7, 3, 9], [2, -1, -1], [6, 1, -1], [NO_PRODUCT] * 3]
    assert gate.asked == [(50, 3)]
    alone = HybridRetriever(sides[0], sides[1], weight=0.0).retrieve(QUERIES, k=3)
    np.testing.assert_array_equal(ranking.score[0], alone.score[0])


def test_where_all_are_easy_nothing_is_encoded(sides):
    lexical, semantic = sides
    HybridRetriever(lexical, semantic, gate=FixedGate("red", "odd")).retrieve(QueryBatch(["red", "odd"]), k=3)
    assert semantic.asked == []
    HybridRetriever(lexical, semantic, gate=FixedGate("red")).retrieve(QueryBatch(["red", "odd"]), k=3)
    assert len(semantic.asked) == 1


def test_an_easy_query_is_explained_by_words_alone(sides):
    told = HybridRetriever(*sides, weight=0.4, gate=FixedGate("red")).retrieve_explained(QUERIES, k=3)
    bare = HybridRetriever(*sides, weight=0.4, gate=FixedGate("red")).retrieve(QUERIES, k=3)
    np.testing.assert_array_equal(told.ranking.product_index, bare.product_index)
    assert told.sides["semantic"].weight.tolist()[0] == 0.0
    assert told.sides["lexical"].weight.tolist()[0] == 1.0
    np.testing.assert_allclose(told.sides["lexical"].adds[0], told.ranking.score[0])


def test_searches_of_actors_with_a_past_never_are_easy(sides):
    one = PastEvents(np.array([0, 1, 1]), [None], np.array([0]), np.array([1]), np.array([5.0], np.float32))
    retriever = HybridRetriever(*sides, weight=0.4, gate=FixedGate("red"))
    found = retriever.retrieve(QueryBatch(["red", "red"], past=one), k=3)
    assert found.product_index.tolist() == [[3, 7, 5], [7, 3, 9]]


def test_a_batch_of_nothing_has_no_answers(sides):
    assert HybridRetriever(*sides, gate=FixedGate()).retrieve(QueryBatch([]), k=3).product_index.shape == (0, 3)
