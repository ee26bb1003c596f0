"""The multi-part hinge: each stage has its side of a threshold, so that scores can be cut off."""

from __future__ import annotations

import math
from dataclasses import asdict, astuple, dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from aisle.core.errors import ShapeError, UsageError
from aisle.tables import STAGE_GRADES, Stage

__all__ = ["HingeThresholds", "multi_part_hinge_loss"]

_GRADES = (
    0.0,
    STAGE_GRADES[Stage.SHOWN],
    STAGE_GRADES[Stage.CLICKED],
    STAGE_GRADES[Stage.CARTED],
    STAGE_GRADES[Stage.ORDERED],
)
"""Where each part begins, in the order of `HingeThresholds`; what is favorited has the grade of what is carted."""

_SIDES = (-1.0, -1.0, 1.0, 1.0, 1.0)
"""1 where a score must lie above its threshold, −1 where below."""


@dataclass(frozen=True)
class HingeThresholds:
    """Thresholds of the scaled score s', each on the way from a random product to an ordered one.

    Attributes:
        random: Products that were never shown must score below it.
        shown: Products that were shown and skipped must score below it.
        clicked: Clicked products must score above it.
        carted: Carted and favorited products must score above it.
        ordered: Ordered products must score above it.

    Raises:
        UsageError: If one is not finite, or a later one is lower.
    """

    random: float = 0.2
    shown: float = 0.5
    clicked: float = 0.6
    carted: float = 0.75
    ordered: float = 0.9

    def __post_init__(self) -> None:
        values = astuple(self)
        if not all(map(math.isfinite, values)) or list(values) != sorted(values):
            raise UsageError(
                "Thresholds must be finite and never fall from random to ordered",
                received=asdict(self),
                remedy="A product that was acted on must not be asked to score below one that was skipped.",
            )


def multi_part_hinge_loss(
    scores: Float[Tensor, " items"],
    grades: Float[Tensor, " items"],
    thresholds: HingeThresholds,
    *,
    log_scale: Float[Tensor, ""],
    shift: Float[Tensor, ""],
    weight: Float[Tensor, " items"] | None = None,
) -> Float[Tensor, ""]:
    """Push each product's scaled score to its stage's side of a threshold.

    With `s' = αs + b`, `α = e^{log_scale}`, an ordered, carted or clicked product loses `max(0, threshold − s')`, a
    shown or random one `max(0, s' − threshold)`. The loss is the sum over the five parts of the mean over each part's
    items, so that a thousand random products do not outweigh the one that was ordered.

    The softmax knows differences of scores alone; this loss gives a score the same meaning under every query, which a
    cut-off needs. α > 0, so s' orders products as s does and serving needs neither number. It takes items on both sides
    of the thresholds: α and b alone can satisfy actions, or random products, where they come by themselves.

    Args:
        scores: Score of each product with its query, before any temperature.
        grades: Grade of each product, at least 0; one between two stages belongs to the lower.
        thresholds: What s' is compared with.
        log_scale: log α, learned; the logarithm keeps α above 0 whatever the step.
        shift: b, learned.
        weight: Weight of each item within its part, at least 0; without it 1.

    Returns:
        The loss, at least 0; a part without items or weight adds exactly 0. float32 (float64 if the scores are). A
        score that is NaN makes it NaN.

    Raises:
        ShapeError: If the tensors do not fit each other.
        UsageError: If a grade is negative or not finite.

    Source: Jha et al. 2023, "Unified Embedding Based Personalized Retrieval in Etsy Search" (a hinge with parts by kind
        of interaction, so that a threshold can prune); Nigam et al. 2019, "Semantic Product Search" (three parts:
        purchased, shown, random). The threshold values, the means by part and e^{log_scale} for a positive α are ours.
    """
    _check(scores, grades, log_scale=log_scale, shift=shift, weight=weight)
    dtype = torch.promote_types(scores.dtype, torch.float32)
    scaled = log_scale.exp().to(dtype) * scores.to(dtype) + shift.to(dtype)
    begins = torch.tensor(_GRADES, dtype=grades.dtype, device=grades.device)
    part = torch.bucketize(grades, begins, right=True) - 1
    threshold, side = (scaled.new_tensor(values)[part] for values in (astuple(thresholds), _SIDES))
    share = torch.ones_like(scaled) if weight is None else weight.to(dtype)
    total = scaled.new_zeros(len(_GRADES)).index_add(0, part, share)
    share = share / total[part].clamp_min(torch.finfo(dtype).tiny)
    return torch.sum(share * torch.relu(side * (threshold - scaled)))


def _check(scores: Tensor, grades: Tensor, *, log_scale: Tensor, shift: Tensor, weight: Tensor | None) -> None:
    received = {"scores": tuple(scores.shape), "grades": tuple(grades.shape)}
    if weight is not None:
        received["weight"] = tuple(weight.shape)
    if scores.ndim != 1 or any(shape != received["scores"] for shape in received.values()):
        raise ShapeError("scores, grades and weight must all be [items]", received=dict(received))
    if log_scale.ndim or shift.ndim:
        raise ShapeError(
            "log_scale and shift must be single numbers",
            received={"log_scale": tuple(log_scale.shape), "shift": tuple(shift.shape)},
        )
    if not ((grades >= 0) & grades.isfinite()).all():
        raise UsageError(
            "Grades must be finite and at least 0",
            received={"least": grades.min().item(), "greatest": grades.max().item()},
            remedy="A product that was never shown has grade 0.",
        )
