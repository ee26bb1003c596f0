"""The ranking loss: within one search, what was acted on more stands above what was acted on less."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from aisle.core.errors import ShapeError, UsageError
from aisle.tables import STAGE_GRADES, Stage

__all__ = ["inverse_propensity", "ranking_loss"]

_SHOWN = STAGE_GRADES[Stage.SHOWN]


def ranking_loss(
    scores: Float[Tensor, " items"],
    grades: Float[Tensor, " items"],
    offsets: Int64[Tensor, " searches_and_1"],
    *,
    temperature: float,
    margin: float = 0.1,
    weight: Float[Tensor, " items"] | None = None,
) -> Float[Tensor, ""]:
    """Compare the products of each search pair by pair, higher grade against lower.

    For every pair of one search with g_i > g_j ≥ 1, `ℓ_ij = log(1 + exp(−(s_i − s_j − m) / τ_r))`, and

    `L_rank = Σ v_ij ℓ_ij / Σ v_ij`,  `v_ij = ω_i λ_ij / Σ_{pairs of the search} λ`,  `λ_ij = g_i − g_j`.

    So without ω each search that has a pair counts once: a sum over all pairs would give a search with ten times the
    products a hundred times the say. Products of grade 0 (random) are in no pair: they are the retrieval loss's, and
    shown-and-skipped products are negatives here alone.

    Args:
        scores: Score of each product with its search, before any temperature; the searches one after another.
        grades: Grade of each product (ordered 4, carted and favorited 3, clicked 2, shown 1, random 0).
        offsets: Where the products of each search begin, and the end of the last: 0 first, never falling. A search may
            have none.
        temperature: τ_r, above 0, in units of the score; the larger, the longer a pair in the right order still counts.
        margin: m, in units of the score, at least 0.
        weight: ω_i of the pairs that product i wins, at least 0, such as its `inverse_propensity` or the discount of
            an assisted positive; without it 1. Only winners' weights are used: what was acted on was seen for certain,
            what was skipped says less the rarer it was shown.

    Returns:
        The loss (nats), at least 0; exactly 0, with gradient exactly 0, where there is no pair or no weight. float32
        (float64 if the scores are), whatever the autocast type. A NaN score makes it NaN if its product is in a pair,
        and changes nothing if not.

    Raises:
        ShapeError: If the tensors do not fit each other, or the offsets do not cut the items into searches.
        UsageError: If a grade is not finite, the temperature is not positive or the margin is negative.

    Source: Burges et al. 2005 (RankNet); Wang et al. 2023, "Learning Multi-Stage Multi-Grained Semantic Embeddings for
        E-Commerce Search" (a ranking loss of local comparisons beside the retrieval loss); Huang et al. 2020,
        "Embedding-based Retrieval in Facebook Search" (skipped products in place of random ones cost recall). The
        weights λ and the normalisation are our reconstruction; the paper's formula is not public. ω_i as in Joachims
        et al. 2017, "Unbiased Learning-to-Rank with Biased Feedback", but normalised by its sum.
    """
    _check(scores, grades, offsets, weight=weight, temperature=temperature, margin=margin)
    winner, loser, search = _pairs(grades, offsets)
    dtype = torch.promote_types(scores.dtype, torch.float32)
    wide = scores.to(dtype)
    losses = F.softplus((margin - (wide[winner] - wide[loser])) / temperature)
    gap = (grades[winner] - grades[loser]).to(dtype)
    share = gap / gap.new_zeros(len(offsets)).index_add(0, search, gap)[search]
    if weight is not None:
        share = share * weight[winner].to(dtype)
    return torch.sum(share * losses) / share.sum().clamp_min(torch.finfo(dtype).tiny)


def inverse_propensity(propensity: Float[Tensor, " items"], *, least: float, unknown: float) -> Float[Tensor, " items"]:
    """Return 1 / max(propensity, least): what a product that was rarely shown counts for its like.

    Args:
        propensity: Probability that the product was shown where it was, in 0..1; NaN where the log does not tell.
        least: Lower bound of the propensity, in 0..1, above 0. Lower: less bias, more variance. A slot drawn at random
            from a department has a propensity near 1/1000, and unbounded a thousandfold weight.
        unknown: Weight where the propensity is NaN, at least 0.

    Raises:
        UsageError: If a propensity lies outside 0..1, or a bound out of its range.

    Source: Ionides 2008 (truncated importance sampling); Joachims et al. 2017.
    """
    if not 0 < least <= 1 or not (math.isfinite(unknown) and unknown >= 0):
        raise UsageError(
            "least must lie in 0..1 above 0, and unknown be finite and at least 0",
            received={"least": least, "unknown": unknown},
        )
    is_known = ~propensity.isnan()
    if (is_known & ((propensity < 0) | (propensity > 1))).any():
        raise UsageError(
            "A propensity must lie in 0..1",
            received={"least": propensity[is_known].min().item(), "greatest": propensity[is_known].max().item()},
            remedy="A propensity is the probability that the product was shown at its place.",
        )
    return torch.where(is_known, 1 / propensity.clamp_min(least), unknown)


def _pairs(
    grades: Float[Tensor, " items"], offsets: Int64[Tensor, " searches_and_1"]
) -> tuple[Int64[Tensor, " pairs"], Int64[Tensor, " pairs"], Int64[Tensor, " pairs"]]:
    """List (higher, lower, search) of every pair of one search with grades above each other, both shown.

    Each item that can win is laid beside every item of its search, so the work grows with the positives times the
    length of their lists and not with its square.
    """
    length = offsets.diff()
    search = torch.repeat_interleave(length)
    contender = torch.nonzero(grades > _SHOWN).squeeze(1)
    rivals = length[search[contender]]
    winner = torch.repeat_interleave(contender, rivals)
    begin = offsets[search[contender]] - (rivals.cumsum(0) - rivals)
    loser = torch.arange(len(winner), device=grades.device) + torch.repeat_interleave(begin, rivals)
    is_pair = (grades[winner] > grades[loser]) & (grades[loser] >= _SHOWN)
    winner, loser = winner[is_pair], loser[is_pair]
    return winner, loser, search[winner]


def _check(
    scores: Tensor, grades: Tensor, offsets: Tensor, *, weight: Tensor | None, temperature: float, margin: float
) -> None:
    received = {"scores": tuple(scores.shape), "grades": tuple(grades.shape)}
    if weight is not None:
        received["weight"] = tuple(weight.shape)
    if scores.ndim != 1 or any(shape != received["scores"] for shape in received.values()):
        raise ShapeError("scores, grades and weight must all be [items]", received=dict(received))
    ends = offsets[[0, -1]].tolist() if offsets.ndim == 1 and len(offsets) else []
    if ends != [0, len(scores)] or bool((offsets.diff() < 0).any()):
        raise ShapeError(
            "offsets must begin with 0, never fall and end with the number of items",
            received={"offsets": offsets, "items": len(scores)},
        )
    if not grades.isfinite().all():
        raise UsageError(
            "Grades must be finite",
            received={"not_finite": int((~grades.isfinite()).sum())},
            remedy="A product that was never shown has grade 0.",
        )
    if not (math.isfinite(temperature) and temperature > 0 and math.isfinite(margin) and margin >= 0):
        raise UsageError(
            "temperature must be a positive finite number and margin at least 0",
            received={"temperature": temperature, "margin": margin},
            remedy="Unit vectors train well near a temperature of 1/30 and a margin of 0.1.",
        )
