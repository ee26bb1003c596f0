import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.retrieval import fuse_normalised, fuse_reciprocal_rank
from aisle.retrieval.fusion import fused_sides

BOTH = pytest.mark.parametrize("fuse", [fuse_normalised, fuse_reciprocal_rank])


def pairs(ranking, row=0):
    is_found = ranking.product_index[row] != NO_PRODUCT
    return list(zip(ranking.product_index[row][is_found].tolist(), ranking.score[row][is_found], strict=True))


def test_normalised_scores_by_hand(ranking_of):
    # Between lowest and highest: lexical 7 → 1, 3 → 0.5, 9 → 0; semantic 3 → 1, 5 → 0.25, 7 → 0.
    lexical = ranking_of([[(7, 8.0), (3, 5.0), (9, 2.0)]], k=3)
    semantic = ranking_of([[(3, 0.9), (5, 0.6), (7, 0.5)]], k=3)
    fused = fuse_normalised(lexical, semantic, weight=0.4, k=5)
    assert fused.product_index.tolist() == [[3, 7, 5, 9, NO_PRODUCT]]
    np.testing.assert_allclose(fused.score[0, :4], [0.6 * 0.5 + 0.4, 0.6, 0.4 * 0.25, 0.0], rtol=1e-6)
    assert fused.score[0, 4] == -np.inf


def test_reciprocal_ranks_by_hand(ranking_of):
    lexical, semantic = ranking_of([[(7, 8.0), (3, 4.0)]], k=2), ranking_of([[(3, 0.9), (5, 0.6)]], k=2)
    fused = fuse_reciprocal_rank(lexical, semantic, k=3)
    assert fused.product_index.tolist() == [[3, 7, 5]]
    np.testing.assert_allclose(fused.score[0], [1 / 61 + 1 / 62, 1 / 61, 1 / 62], rtol=1e-6)


def test_only_the_k_best_are_returned(ranking_of):
    lexical = ranking_of([[(1, 3.0), (2, 2.0), (3, 1.0)]], k=3)
    fused = fuse_normalised(lexical, ranking_of([[(4, 1.0)]], k=1), weight=0.1, k=2)
    assert fused.product_index.tolist() == [[1, 2]]


def test_ties_stand_in_the_order_of_product_index(ranking_of):
    lexical, semantic = ranking_of([[(9, 2.0)]], k=1), ranking_of([[(4, 0.3)]], k=1)
    assert fuse_normalised(lexical, semantic, weight=0.5, k=2).product_index.tolist() == [[4, 9]]
    assert fuse_reciprocal_rank(lexical, semantic, k=2).product_index.tolist() == [[4, 9]]


def test_equal_semantic_scores_all_count_as_best(ranking_of):
    fused = fuse_normalised(ranking_of([[(1, 5.0)]], k=2), ranking_of([[(2, 0.7), (3, 0.7)]], k=2), weight=0.6, k=3)
    np.testing.assert_allclose(fused.score[0], [0.6, 0.6, 0.4], rtol=1e-6)


def test_negative_inner_products_are_no_obstacle(ranking_of):
    semantic = ranking_of([[(1, -0.2), (2, -0.4), (3, -0.6)]], k=3)
    fused = fuse_normalised(ranking_of([[(3, 1.0)]], k=1), semantic, weight=0.6, k=3)
    assert [product for product, _ in pairs(fused)] == [1, 3, 2]


@BOTH
@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0])
def test_where_one_list_is_empty_the_other_keeps_its_order(fuse, weight, ranking_of):
    some, none = ranking_of([[(5, 9.0), (2, 4.0), (8, 1.0)]], k=3), ranking_of([[]], k=3)
    assert fuse(some, none, weight=weight, k=4).product_index.tolist() == [[5, 2, 8, NO_PRODUCT]]
    assert fuse(none, some, weight=weight, k=4).product_index.tolist() == [[5, 2, 8, NO_PRODUCT]]
    assert fuse(none, none, weight=weight, k=4).product_index.tolist() == [[NO_PRODUCT] * 4]


@BOTH
def test_a_weight_of_nothing_or_all_is_one_list_alone(fuse, ranking_of):
    lexical = ranking_of([[(5, 9.0), (2, 4.0)]], k=2)
    semantic = ranking_of([[(1, 0.9), (5, 0.8)]], k=2)
    assert fuse(lexical, semantic, weight=0, k=3).product_index.tolist() == [[5, 2, NO_PRODUCT]]
    assert fuse(lexical, semantic, weight=1, k=3).product_index.tolist() == [[1, 5, NO_PRODUCT]]


@BOTH
def test_a_batch_of_no_queries_is_fused(fuse, ranking_of):
    assert fuse(ranking_of([], k=3), ranking_of([], k=2), weight=0.5, k=4).score.shape == (0, 4)


@st.composite
def batches(draw):
    """Two rankings of the same queries, of different depths."""
    num_queries = draw(st.integers(1, 4))
    return [draw(rankings(num_queries, depth)) for depth in (draw(st.integers(1, 6)), draw(st.integers(1, 6)))]


@st.composite
def rankings(draw, num_queries, depth):
    index = np.full((num_queries, depth), NO_PRODUCT, np.int64)
    score = np.full((num_queries, depth), -np.inf, np.float32)
    for row in range(num_queries):
        products = draw(st.lists(st.integers(0, 9), max_size=depth, unique=True))
        values = sorted(draw(st.lists(st.integers(1, 50), min_size=len(products), max_size=len(products))))
        ordered = sorted(zip(reversed(values), products, strict=True), key=lambda pair: (-pair[0], pair[1]))
        for place, (value, product) in enumerate(ordered):
            index[row, place], score[row, place] = product, value / 10
    return Ranking(index, score)


def slow_reciprocal_rank(lexical, semantic, *, k):
    score = {}
    for ranking in (lexical, semantic):
        for rank, product in enumerate(ranking, start=1):
            score[product] = score.get(product, 0) + 1 / (60 + rank)
    return sorted(score.items(), key=lambda item: (-item[1], item[0]))[:k]


def slow_normalised(lexical, semantic, *, weight):
    if not lexical or not semantic:
        weight = 0.0 if lexical else 1.0
    score = {}
    for ranking, share in ((lexical, 1 - weight), (semantic, weight)):
        low, high = min(ranking.values(), default=0), max(ranking.values(), default=0)
        for product, value in ranking.items() if share > 0 else ():
            placed = (value - low) / (high - low) if high > low else 1.0
            score[product] = score.get(product, 0) + share * placed
    return score


@given(batches(), st.integers(1, 14))
@settings(deadline=None)
def test_reciprocal_rank_agrees_with_a_slow_implementation(both, k):
    fused = fuse_reciprocal_rank(*both, k=k)
    for row in range(len(fused.score)):
        lists = [[product for product, _ in pairs(ranking, row)] for ranking in both]
        expected = slow_reciprocal_rank(*lists, k=k)
        if all(lists):
            assert [product for product, _ in pairs(fused, row)] == [product for product, _ in expected]
            np.testing.assert_allclose([s for _, s in pairs(fused, row)], [s for _, s in expected], rtol=1e-6)
        else:
            assert [product for product, _ in pairs(fused, row)] == (lists[0] or lists[1])[:k]


@given(batches(), st.sampled_from([0.0, 0.25, 0.5, 0.9, 1.0]), st.integers(1, 14))
@settings(deadline=None)
def test_normalised_agrees_with_a_slow_implementation(both, weight, k):
    fused = fuse_normalised(*both, weight=weight, k=k)
    for row in range(len(fused.score)):
        expected = slow_normalised(*(dict(pairs(ranking, row)) for ranking in both), weight=weight)
        found = pairs(fused, row)
        assert len(found) == min(k, len(expected))
        assert [score for _, score in found] == pytest.approx(sorted(expected.values(), reverse=True)[:k], abs=1e-6)
        assert dict(found) == pytest.approx({product: expected[product] for product, _ in found}, abs=1e-6)
        assert all(0 <= score <= 1 for _, score in found)


@given(batches())
@settings(deadline=None)
def test_reciprocal_rank_does_not_depend_on_the_order_of_the_lists(both):
    straight, swapped = fuse_reciprocal_rank(*both, k=12), fuse_reciprocal_rank(*reversed(both), k=12)
    np.testing.assert_array_equal(straight.product_index, swapped.product_index)
    np.testing.assert_array_equal(straight.score, swapped.score)


@BOTH
@given(both=batches(), random=st.randoms())
@settings(deadline=None)
def test_permuting_queries_permutes_rankings(fuse, both, random):
    num_queries = len(both[0].score)
    order = random.sample(range(num_queries), num_queries)
    permuted = [Ranking(ranking.product_index[order], ranking.score[order]) for ranking in both]
    straight, fused = fuse(*both, weight=0.5, k=8), fuse(*permuted, weight=0.5, k=8)
    np.testing.assert_array_equal(fused.product_index, straight.product_index[order])
    np.testing.assert_array_equal(fused.score, straight.score[order])


@given(batches(), st.permutations(range(10)))
@settings(deadline=None)
def test_renumbering_products_renumbers_the_fused_ranking(both, numbers):
    numbers = np.array([*numbers, NO_PRODUCT])  # NO_PRODUCT, -1, picks the last
    renumbered = [Ranking(numbers[ranking.product_index], ranking.score) for ranking in both]
    straight = fuse_normalised(*both, weight=0.3, k=12)
    fused = fuse_normalised(*renumbered, weight=0.3, k=12)
    np.testing.assert_allclose(fused.score, straight.score, rtol=1e-6)
    for row in range(len(fused.score)):
        expected = {numbers[product]: score for product, score in pairs(straight, row)}
        assert dict(pairs(fused, row)) == pytest.approx(expected)


@BOTH
def test_inputs_that_do_not_fit_are_refused(fuse, ranking_of):
    one, two = ranking_of([[(1, 1.0)]], k=1), ranking_of([[], []], k=1)
    with pytest.raises(ShapeError, match=r"same queries\. Received: lexical=1, semantic=2"):
        fuse(one, two, weight=0.5, k=1)
    with pytest.raises(UsageError, match=r"between 0 and 1\. Received: weight=1\.5"):
        fuse(one, one, weight=1.5, k=1)
    with pytest.raises(UsageError, match="k must be at least 1"):
        fuse(one, one, weight=0.5, k=0)


@pytest.mark.parametrize("by_rank", [False, True])
def test_sides_by_hand(ranking_of, by_rank):
    lexical = ranking_of([[(7, 8.0), (3, 5.0), (9, 2.0)], []], k=3)
    semantic = ranking_of([[(3, 0.9), (5, 0.6), (7, 0.5)], [(9, 0.1)]], k=3)
    fuse = fuse_reciprocal_rank if by_rank else fuse_normalised
    fused = fuse(lexical, semantic, weight=0.4, k=4)
    sides = fused_sides(fused, lexical, semantic, weight=0.4, by_rank=by_rank)
    found = fused.product_index != NO_PRODUCT
    np.testing.assert_allclose((sides["lexical"].adds + sides["semantic"].adds)[found], fused.score[found], rtol=1e-6)
    # Of the second query one list is empty: the other alone decides.
    assert [side.weight.tolist() for side in sides.values()] == [[0.6, 0.0], [0.4, 1.0]]
    place = {product: place for place, product in enumerate(fused.product_index[0].tolist())}
    assert [sides["lexical"].rank[0, place[product]] for product in (7, 3, 9, 5)] == [1, 2, 3, 0]
    assert sides["semantic"].score[0, place[5]] == np.float32(0.6)
    assert np.isnan(sides["lexical"].score[0, place[5]])
    expected = [1.0, 0.5, 0.0, 0.0] if not by_rank else [2 / 61, 2 / 62, 2 / 63, 0.0]
    np.testing.assert_allclose([sides["lexical"].normalised[0, place[product]] for product in (7, 3, 9, 5)], expected)


def test_sides_of_nothing(ranking_of):
    empty = ranking_of([[]], k=2)
    sides = fused_sides(fuse_normalised(empty, empty, weight=0.5, k=2), empty, empty, weight=0.5, by_rank=False)
    assert sides["lexical"].rank.tolist() == [[0, 0]]
    no_queries = Ranking(np.empty((0, 2), np.int64), np.empty((0, 2), np.float32))
    assert fused_sides(no_queries, no_queries, no_queries, weight=0.5, by_rank=True)["semantic"].rank.shape == (0, 2)
