"""Two rankings of the same queries become one. Pure functions of arrays, vectorised over queries and candidates."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float64, Int64

from aisle.core.errors import ShapeError, UsageError
from aisle.core.ranking import NO_PRODUCT, Ranking, check_k
from aisle.retrieval.explanation import Side

__all__ = ["RANK_CONSTANT", "fuse_normalised", "fuse_reciprocal_rank", "fused_sides"]

RANK_CONSTANT = 60
"""Added to every rank before it is inverted; larger values flatten the lead of the first places (Cormack et al.)."""


def fuse_normalised(lexical: Ranking, semantic: Ranking, *, weight: float, k: int) -> Ranking:
    """Fuse by scores: `weight · semantic + (1 − weight) · lexical`, each brought to [0, 1] within its query.

    Each list is placed between its lowest score, 0, and its highest, 1; a product that is missing from a list gets 0
    from it, as little as the list's last. So the depth of the lists matters: it says how far down a product still
    earns something. A BM25 score has a zero of its own, no word in common, and dividing by the best would keep it; but
    then every product that holds the query's words stays ahead of those that say it otherwise, and recall falls
    (`benchmarks/fusion.py`). Where one list is empty, or weighs nothing, the other alone decides. Equal scores stand
    in the order of product index.

    Args:
        lexical: Scores of any scale, such as BM25's.
        semantic: Scores of any scale, such as inner products.
        weight: Share of the semantic score, 0 to 1.
        k: Places per query.

    Returns:
        Rankings of the union of both lists, with scores in [0, 1].

    Raises:
        ShapeError: If the rankings are not of the same queries.
        UsageError: If k is below 1 or the weight not between 0 and 1.

    Source: Bruch et al. 2023, "An Analysis of Fusion Functions for Hybrid Retrieval", section 3 (convex combination
    with min–max normalisation).
    """
    _check(lexical, semantic, weight=weight, k=k)
    return _fused(lexical, semantic, by_lexical=_min_max(lexical), by_semantic=_min_max(semantic), weight=weight, k=k)


def fuse_reciprocal_rank(lexical: Ranking, semantic: Ranking, *, weight: float = 0.5, k: int) -> Ranking:
    """Fuse by ranks: the sum of `1 / (60 + rank)` over the lists that hold a product, ranks from 1.

    Args:
        lexical: One ranking; its scores are not looked at.
        semantic: The other.
        weight: Share of the semantic list. The terms are multiplied by 2·weight and 2·(1 − weight), so that 0.5 gives
            the formula of the source.
        k: Places per query.

    Returns:
        Rankings of the union of both lists. Where one list is empty, or weighs nothing, the other alone decides.

    Raises:
        ShapeError: If the rankings are not of the same queries.
        UsageError: If k is below 1 or the weight not between 0 and 1.

    Source: Cormack, Clarke and Büttcher 2009, "Reciprocal Rank Fusion outperforms Condorcet and Individual
    Rank Learning Methods", section 2.
    """
    _check(lexical, semantic, weight=weight, k=k)
    by_lexical, by_semantic = _reciprocal_rank(lexical), _reciprocal_rank(semantic)
    return _fused(lexical, semantic, by_lexical=by_lexical, by_semantic=by_semantic, weight=weight, k=k)


def fused_sides(
    fused: Ranking, lexical: Ranking, semantic: Ranking, *, weight: float, by_rank: bool
) -> dict[str, Side]:
    """Tell how both lists entered each place of their fusion.

    Args:
        fused: What `fuse_normalised` or `fuse_reciprocal_rank` gave.
        lexical: As given to it.
        semantic: As given to it.
        weight: As given to it.
        by_rank: It was `fuse_reciprocal_rank`.
    """
    share = _semantic_share(lexical, semantic, weight)[:, 0]
    values = _reciprocal_rank if by_rank else _min_max
    sides = (("lexical", lexical, 1 - share), ("semantic", semantic, share))
    return {name: _side(fused, listed, values(listed), weight=of_side) for name, listed, of_side in sides}


def _side(
    fused: Ranking, listed: Ranking, value: Float64[np.ndarray, "queries n"], *, weight: Float64[np.ndarray, " queries"]
) -> Side:
    place = _places(fused, listed)
    is_there = place >= 0
    at = np.maximum(place, 0)
    return Side(
        weight=weight,
        rank=place + 1,
        score=np.where(is_there, np.take_along_axis(listed.score, at, axis=1), np.float32(np.nan)),
        normalised=np.where(is_there, np.take_along_axis(value, at, axis=1), 0.0),
    )


def _places(wanted: Ranking, listed: Ranking) -> Int64[np.ndarray, "queries k"]:
    """Find each wanted product in the same query's list; -1 where it is not there."""
    most = int(max(wanted.product_index.max(initial=0), listed.product_index.max(initial=0))) + 2
    row = np.arange(len(wanted.product_index))[:, None] * most
    # An empty place of the list takes a key that no product has, and so finds nothing.
    keys = np.where(_is_found(listed), listed.product_index, most - 1) + row
    order = np.argsort(keys, axis=None, kind="stable")
    known = keys.ravel()[order]
    asked = np.where(_is_found(wanted), wanted.product_index + row, -1)
    at = np.minimum(np.searchsorted(known, asked), max(0, len(known) - 1))
    return np.where(known[at] == asked, order[at] % listed.k, -1) if len(known) else np.full(asked.shape, -1)


def _fused(
    lexical: Ranking,
    semantic: Ranking,
    *,
    by_lexical: Float64[np.ndarray, "queries n"],
    by_semantic: Float64[np.ndarray, "queries m"],
    weight: float,
    k: int,
) -> Ranking:
    """Add up what both lists give each product, and keep the k largest sums."""
    share = _semantic_share(lexical, semantic, weight)
    index = np.concatenate(
        [
            np.where(share < 1, lexical.product_index, NO_PRODUCT),
            np.where(share > 0, semantic.product_index, NO_PRODUCT),
        ],
        axis=1,
    )
    value = np.concatenate([(1 - share) * by_lexical, share * by_semantic], axis=1)
    order = _flat(np.argsort(index, axis=1, kind="stable"), index.shape[1])
    index, value = index.ravel()[order], value.ravel()[order]
    is_first = np.ones(index.shape, bool)
    is_first[:, 1:] = index[:, 1:] != index[:, :-1]
    # A run of equal products never crosses a row, as the first place of a row always begins one.
    run = np.cumsum(is_first.ravel()) - 1
    total = np.bincount(run, weights=value.ravel())[run].reshape(index.shape)
    return _best(index, np.where(is_first & (index != NO_PRODUCT), total, -np.inf), k=k)


def _best(index: np.ndarray, score: Float64[np.ndarray, "queries candidates"], *, k: int) -> Ranking:
    """Return the k best candidates of each row; rows are in the order of product index, and so are ties."""
    order = np.argsort(-score, axis=1, kind="stable")[:, :k]
    order = _flat(order, index.shape[1])
    best = score.ravel()[order]
    num_best = order.shape[1]
    ranked_index = np.full((len(index), k), NO_PRODUCT, np.int64)
    np.copyto(ranked_index[:, :num_best], index.ravel()[order], where=best > -np.inf)
    ranked_score = np.full((len(index), k), -np.inf, np.float32)
    ranked_score[:, :num_best] = best
    return Ranking(ranked_index, ranked_score)


def _flat(order: Int64[np.ndarray, "queries n"], num_columns: int) -> Int64[np.ndarray, "queries n"]:
    """Turn places within rows into places of the flattened array: with few rows, half of `take_along_axis`' time."""
    return order + np.arange(0, len(order) * num_columns, num_columns)[:, None]


def _semantic_share(lexical: Ranking, semantic: Ranking, weight: float) -> Float64[np.ndarray, "queries 1"]:
    share = np.full((len(lexical.score), 1), weight)
    share[~_is_found(semantic).any(axis=1)] = 0.0
    share[~_is_found(lexical).any(axis=1)] = 1.0
    return share


def _is_found(ranking: Ranking) -> Bool[np.ndarray, "queries k"]:
    return np.asarray(ranking.product_index != NO_PRODUCT)


def _min_max(ranking: Ranking) -> Float64[np.ndarray, "queries k"]:
    """Place scores between the row's lowest, 0, and highest, 1; a row of one score only is all 1."""
    is_found = _is_found(ranking)
    # Empty places take the row's highest score while the lowest is sought, an empty row zero.
    highest = np.where(is_found[:, :1], ranking.score[:, :1], 0.0).astype(np.float64)
    score = np.where(is_found, ranking.score, highest)
    lowest = score.min(axis=1, keepdims=True)
    span = highest - lowest
    placed = np.where(span > 0, (score - lowest) / np.where(span > 0, span, 1.0), 1.0)
    return np.where(is_found, placed, 0.0)


def _reciprocal_rank(ranking: Ranking) -> Float64[np.ndarray, "queries k"]:
    rank = np.arange(1, ranking.k + 1)
    # Twice, so that two equal weights of a half give the source's sum.
    return np.where(_is_found(ranking), 2.0 / (RANK_CONSTANT + rank), 0.0)


def _check(lexical: Ranking, semantic: Ranking, *, weight: float, k: int) -> None:
    check_k(k)
    if not 0 <= weight <= 1:
        raise UsageError("The semantic weight must be between 0 and 1", received={"weight": weight}, remedy="Try 0.5.")
    if len(lexical.score) != len(semantic.score):
        raise ShapeError(
            "Both rankings must be of the same queries",
            received={"lexical": len(lexical.score), "semantic": len(semantic.score)},
            remedy="Retrieve both for one batch.",
        )
