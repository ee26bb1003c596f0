import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.index import ExactIndex
from aisle.losses import NegativeSource, retrieval_loss
from aisle.negatives import (
    DynamicDraw,
    DynamicNegatives,
    DynamicPool,
    PositiveSets,
    hard_in_batch,
    mask_copies,
    mask_known_positives,
)
from aisle.negatives.dynamic import share_columns

NO = NO_PRODUCT


def negatives(**changed):
    return DynamicNegatives(
        **{"depth": 20, "skip_ranks": 2, "margin": 0.1, "num_per_row": 2, "num_columns": 100, **changed}
    )


def unit(rng, *shape):
    vectors = rng.standard_normal(shape).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def wishes(ranked, scores, *, positive, excluded=None, **changed):
    ranked, scores = np.array([ranked]), np.array([scores], np.float32)
    excluded = np.zeros(ranked.shape, bool) if excluded is None else np.isin(ranked, excluded)
    return negatives(**changed).wishes(
        Ranking(ranked, scores), positive_score=np.array([positive], np.float32), excluded=excluded
    )


def test_wishes_by_eye():
    ranked, scores = [8, 3, 5, 1, 9, 7], [0.9, 0.8, 0.75, 0.7, 0.5, 0.4]
    # The band takes 8 and 3; 5 and 1 come as near to the positive as the margin.
    assert wishes(ranked, scores, positive=0.78).tolist() == [[9, 7]]
    assert wishes(ranked, scores, positive=0.9).tolist() == [[5, 1]]
    assert wishes(ranked, scores, positive=0.9, excluded=[5, 9]).tolist() == [[1, 7]]
    assert wishes(ranked, scores, positive=2.0, skip_ranks=0).tolist() == [[8, 3]]
    assert wishes(ranked, scores, positive=2.0, skip_ranks=5).tolist() == [[7, NO]]
    assert wishes(ranked, scores, positive=0.45).tolist() == [[NO, NO]]
    assert wishes(ranked, scores, positive=0.78, num_per_row=4).tolist() == [[9, 7, NO, NO]]


def test_a_score_at_the_margin_is_a_wish():
    assert wishes([4, 5], [0.5, 0.25], positive=0.75, margin=0.25, skip_ranks=0).tolist() == [[4, 5]]
    assert wishes([4, 5], [0.5, 0.25], positive=0.75, margin=0.26, skip_ranks=0).tolist() == [[5, NO]]


def test_a_negative_margin_lets_harder_ones_in():
    assert wishes([4, 5], [0.9, 0.25], positive=0.75, margin=-0.2, skip_ranks=0).tolist() == [[4, 5]]


def test_empty_places_and_nan_make_no_wish():
    assert wishes([4, NO], [0.5, -math.inf], positive=2.0, skip_ranks=0).tolist() == [[4, NO]]
    assert wishes([4, 5], [math.nan, 0.5], positive=2.0, skip_ranks=0).tolist() == [[5, NO]]
    assert wishes([4, 5], [0.5, 0.4], positive=math.nan, skip_ranks=0).tolist() == [[NO, NO]]


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(1, 6),
    st.integers(1, 30),
    st.integers(0, 6),
    st.floats(-0.2, 0.5),
    st.integers(1, 4),
)
def test_agrees_with_brute_force(seed, rows, num_pool, skip_ranks, margin, num_per_row):
    rng = np.random.default_rng(seed)
    product_index = rng.permutation(60)[:num_pool]
    vectors, queries = unit(rng, num_pool, 6), unit(rng, rows, 6)
    positive = rng.uniform(-0.2, 1.2, rows).astype(np.float32)
    row_query = rng.integers(0, 4, rows)
    pairs = rng.integers(0, [4, 60], (40, 2))
    positives = PositiveSets.from_pairs(pairs[:, 0], pairs[:, 1], num_queries=4)
    rule = negatives(
        depth=skip_ranks + 12, skip_ranks=skip_ranks, margin=margin, num_per_row=num_per_row, num_columns=1000
    )
    pool = DynamicPool.build(product_index, vectors, step=0, build_index=ExactIndex.build)
    draw = rule.draw(
        pool, queries, positive_score=positive, row_query=row_query, positives=positives, rng=np.random.default_rng(0)
    )
    known = {(query, product) for query, product in pairs.tolist()}
    expected, bands = set(), []
    scores = pool.top(queries, k=num_pool)
    for row in range(rows):
        ranked = scores.product_index[row].tolist()
        bands.append(ranked[:skip_ranks])
        fair = [
            product
            for rank, product in enumerate(ranked)
            if skip_ranks <= rank < skip_ranks + 12
            and scores.score[row, rank] <= positive[row] - np.float32(margin)
            and (row_query[row], product) not in known
        ]
        expected |= set(fair[:num_per_row])
    assert draw.product_index.tolist() == sorted(expected)
    assert draw.in_band.tolist() == [[product in band for product in sorted(expected)] for band in bands]


def test_pool_gives_products_of_the_catalogue():
    vectors = np.eye(3, dtype=np.float32)
    pool = DynamicPool.build(np.array([40, 7, 12]), vectors, step=5, build_index=ExactIndex.build)
    top = pool.top(np.array([[0.1, 0.9, 0.5]], np.float32), k=4)
    assert top.product_index.tolist() == [[7, 12, 40, NO]]
    assert top.score[0, :3].tolist() == pytest.approx([0.9, 0.5, 0.1])


def test_pool_ages():
    pool = DynamicPool.build(np.array([1]), np.ones((1, 2), np.float32), step=100, build_index=ExactIndex.build)
    assert not pool.is_due(100, every=50)
    assert not pool.is_due(149, every=50)
    assert pool.is_due(150, every=50)


def test_a_pool_built_again_draws_the_same():
    rng = np.random.default_rng(0)
    pool = DynamicPool.build(rng.permutation(200), unit(rng, 200, 8), step=3, build_index=ExactIndex.build)
    again = DynamicPool.build(pool.product_index, pool.vectors.copy(), step=pool.step, build_index=ExactIndex.build)
    queries, positives = unit(rng, 5, 8), PositiveSets.from_pairs(np.arange(5), np.arange(5), num_queries=5)
    draws = [
        negatives(num_columns=4).draw(
            each,
            queries,
            positive_score=np.ones(5, np.float32),
            row_query=np.arange(5),
            positives=positives,
            rng=np.random.default_rng(1),
        )
        for each in (pool, again)
    ]
    assert len(draws[0].product_index) == 4
    assert draws[0].product_index.tolist() == draws[1].product_index.tolist()
    assert draws[0].in_band.tolist() == draws[1].in_band.tolist()


def test_first_wishes_come_before_second_ones():
    rng = np.random.default_rng(0)
    asked = np.array([[5, 1], [7, 2], [NO, NO], [9, 5]])
    assert share_columns(asked, num_columns=3, rng=rng).tolist() == [5, 7, 9]
    assert set(share_columns(asked, num_columns=4, rng=rng).tolist()) - {1, 2} == {5, 7, 9}
    assert share_columns(asked, num_columns=99, rng=rng).tolist() == [1, 2, 5, 7, 9]
    assert share_columns(np.full((3, 2), NO), num_columns=4, rng=rng).tolist() == []
    assert share_columns(np.empty((0, 2), np.int64), num_columns=4, rng=rng).tolist() == []


def test_no_product_is_favoured_where_room_is_short():
    rng = np.random.default_rng(1)
    asked = np.arange(10)[:, None]
    counts = np.bincount(
        np.concatenate([share_columns(asked, num_columns=3, rng=rng) for _ in range(2000)]), minlength=10
    )
    # Each is expected 600 times with a standard deviation of sqrt(2000 · 0.3 · 0.7) = 20.
    assert np.abs(counts - 600).max() < 100


def test_masked_columns_are_the_band_and_those_above_the_margin_by_fresh_scores():
    draw = DynamicDraw(np.array([3, 4, 5]), torch.tensor([[True, False, False], [False, False, False]]))
    scores = torch.tensor([[0.1, 0.85, 0.1], [0.1, 0.85, 0.1]])
    masked = negatives().masked(draw, scores, torch.tensor([0.9, 1.0]))
    assert masked.tolist() == [[True, True, False], [False, False, False]]


def test_all_sources_in_one_loss():
    """Two rows in a catalogue of six: what is masked in a source has no gradient there, everything else has."""
    rng = torch.Generator().manual_seed(0)
    leaves = {
        name: torch.rand(2, columns, generator=rng).mul(0.5).requires_grad_()
        for name, columns in (("uniform", 3), ("batch", 2), ("dynamic", 2))
    }
    positive = torch.full((2,), 0.9, requires_grad=True)
    bought, searcher = torch.tensor([0, 1]), torch.tensor([0, 1])
    positives = PositiveSets.from_pairs(np.array([0, 0, 1]), np.array([0, 4, 1]), num_queries=2)
    columns = {"uniform": torch.tensor([2, 4, 0]), "batch": bought, "dynamic": torch.tensor([4, 5])}
    known = {
        name: mask_copies(index, bought) | mask_known_positives(index, searcher, positives)
        for name, index in columns.items()
    }
    draw = DynamicDraw(columns["dynamic"].numpy(), torch.tensor([[False, False], [False, True]]))
    masked = {**known, "dynamic": known["dynamic"] | negatives().masked(draw, leaves["dynamic"], positive)}
    batch = NegativeSource("batch", leaves["batch"], masked=masked["batch"], log_sampling=torch.zeros(2))
    sources = [
        NegativeSource("uniform", leaves["uniform"], masked=masked["uniform"]),
        batch,
        hard_in_batch(batch, bought, num_hard=1, weight=0.5),
        NegativeSource("dynamic", leaves["dynamic"], masked=masked["dynamic"]),
    ]
    loss, means = retrieval_loss(positive, sources, positive_weight=torch.ones(2), temperature=0.1)
    loss.backward()
    assert list(means) == ["uniform", "batch", "hard_in_batch", "dynamic"]
    assert masked["uniform"].tolist() == [[False, True, True], [False, False, False]]
    assert masked["dynamic"].tolist() == [[True, False], [False, True]]
    for name, leaf in leaves.items():
        assert leaf.grad[masked[name]].eq(0).all()
        assert leaf.grad[~masked[name]].gt(0).all()
    assert positive.grad.lt(0).all()


def test_dynamic_negatives_score_higher_than_uniform_ones():
    rng = np.random.default_rng(2)
    vectors, queries = unit(rng, 2000, 8), unit(rng, 16, 8)
    pool = DynamicPool.build(np.arange(2000), vectors, step=0, build_index=ExactIndex.build)
    positives = PositiveSets.from_pairs(np.arange(16), np.arange(16), num_queries=16)
    draw = negatives(depth=60, skip_ranks=10, num_per_row=4, margin=0.05).draw(
        pool,
        queries,
        positive_score=np.full(16, 0.95, np.float32),
        row_query=np.arange(16),
        positives=positives,
        rng=rng,
    )
    scores = queries @ vectors[draw.product_index].T
    assert len(draw.product_index) > 40
    assert scores.max(axis=1).min() > np.quantile(queries @ vectors.T, 0.97)
    assert scores[~draw.in_band.numpy()].max() < 1.0


def test_queries_that_are_not_finite_are_refused():
    pool = DynamicPool.build(np.array([1]), np.ones((1, 2), np.float32), step=0, build_index=ExactIndex.build)
    with pytest.raises(ShapeError, match="finite"):
        negatives().draw(
            pool,
            np.array([[math.nan, 0.0]], np.float32),
            positive_score=np.zeros(1, np.float32),
            row_query=np.zeros(1, np.int64),
            positives=PositiveSets.from_pairs(np.array([0]), np.array([1]), num_queries=1),
            rng=np.random.default_rng(0),
        )


def test_refuses_vectors_that_are_not_the_pools():
    with pytest.raises(ShapeError, match=r"one vector per product\. Received: vectors=\(2, 3\), products=1"):
        DynamicPool.build(np.array([1]), np.ones((2, 3), np.float32), step=0, build_index=ExactIndex.build)


@pytest.mark.parametrize(
    "changed",
    [
        {"skip_ranks": 20},
        {"skip_ranks": -1},
        {"num_per_row": 0},
        {"num_columns": 0},
        {"margin": math.nan},
    ],
)
def test_refuses_numbers(changed):
    with pytest.raises(UsageError, match=r"0 <= skip_ranks < depth, num_per_row and num_columns at least 1"):
        negatives(**changed)
