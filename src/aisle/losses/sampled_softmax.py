"""Sampled softmax: the positive of each row against a sample of the catalogue."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from aisle.core.errors import ShapeError, UsageError

__all__ = ["sampled_softmax_loss"]


def sampled_softmax_loss(
    positive: Float[Tensor, " rows"],
    negatives: Float[Tensor, "rows columns"],
    *,
    temperature: float,
    masked: Bool[Tensor, "rows columns"] | None = None,
    log_sampling: Float[Tensor, " columns"] | None = None,
    log_weight: Float[Tensor, "rows columns"] | None = None,
) -> Float[Tensor, " rows"]:
    """Compute the negative log-probability of each row's positive among sampled negatives.

    `loss_i = −log( e^{s⁺_i/τ} / (e^{s⁺_i/τ} + Σ_j w_ij e^{s_ij/τ − log q_j}) )`, the sum over the columns j
    that are not masked in row i.

    The logQ correction: let q_j be the *expected number of columns* that hold the product of column j. Then
    the sum is an unbiased estimate of `Σ e^{s/τ}` over all products but the positive, as long as every column
    that holds the row's own product is masked; the positive is there for certain, once, and is not corrected.
    The logarithm of the sum, and so the loss, is unbiased only in the limit of many columns (Jensen: from
    below). Subtracting the log of the *probability of one draw* instead makes the sum too large by the number
    of columns: the same for every column, but not relative to the positive, which a larger batch would then
    outweigh.

    Args:
        positive: Score of each row's own product, before the temperature.
        negatives: Score of each row against each column's product, before the temperature.
        temperature: τ, above 0; the smaller, the more the hardest negatives decide.
        masked: True where a column is no negative of the row: its probability and its gradient are exactly 0,
            whatever its score (also NaN or infinite). A row with every column masked has loss exactly 0 and
            gradient exactly 0, its positive's too.
        log_sampling: log q_j of each column, finite where not masked; without it q = 1 (plain softmax).
        log_weight: log w_ij; -inf is weight 0; without it w = 1.

    Returns:
        Loss of each row in nats, at least 0; float32 (float64 if a score is float64), whatever the autocast
        type.

    Raises:
        ShapeError: If the tensors do not fit each other.
        UsageError: If the temperature is not a positive finite number.

    Source: Bengio and Senécal 2008 (importance-sampled partition sum); Yi et al. 2019, section 3 (in-batch);
        Khrylchenko et al. 2025 (the positive is present for certain, so it is not corrected).
    """
    _check_temperature(temperature)
    _check_shapes(positive, negatives, masked=masked, log_sampling=log_sampling, log_weight=log_weight)
    # bfloat16 has 8 significant bits: at τ = 1/30 it would round the largest logits to multiples of 0.125.
    dtype = torch.promote_types(torch.promote_types(positive.dtype, negatives.dtype), torch.float32)
    # Relative to the positive, not −s⁺ + logsumexp over all: the difference of two large numbers would lose
    # the digits of a small loss.
    margins = (negatives.to(dtype) - positive.to(dtype).unsqueeze(1)) / temperature
    if log_sampling is not None:
        margins = margins - log_sampling.to(dtype)
    if log_weight is not None:
        margins = margins + log_weight.to(dtype)
    if masked is not None:
        margins = margins.masked_fill(masked, -math.inf)
    # The positive is one of the terms, at margin 0: no row is all -inf, whose logsumexp has a NaN gradient.
    return torch.logsumexp(torch.cat([margins.new_zeros(len(margins), 1), margins], dim=1), dim=1)


def _check_temperature(temperature: float) -> None:
    if not (math.isfinite(temperature) and temperature > 0):
        raise UsageError(
            "temperature must be a positive finite number",
            received={"temperature": temperature},
            remedy="Unit vectors train well near 1/30.",
        )


def _check_shapes(
    positive: Tensor,
    negatives: Tensor,
    *,
    masked: Tensor | None,
    log_sampling: Tensor | None,
    log_weight: Tensor | None,
) -> None:
    received = {"positive": tuple(positive.shape), "negatives": tuple(negatives.shape)}
    if positive.ndim != 1 or negatives.ndim != 2 or len(positive) != len(negatives):
        raise ShapeError("positive must be [rows] and negatives [rows, columns]", received=dict(received))
    wanted = {
        "masked": (masked, negatives.shape),
        "log_sampling": (log_sampling, negatives.shape[1:]),
        "log_weight": (log_weight, negatives.shape),
    }
    for name, (tensor, shape) in wanted.items():
        if tensor is not None and tensor.shape != shape:
            raise ShapeError(
                f"{name} must have the shape {tuple(shape)} that fits the negatives",
                received={name: tuple(tensor.shape), **received},
            )
    if masked is not None and masked.dtype != torch.bool:
        raise ShapeError("masked must be boolean", received={"masked": masked.dtype})
