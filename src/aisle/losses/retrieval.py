"""The retrieval loss: one sampled softmax per source of negatives, added up by weight."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from aisle.core.errors import ShapeError, UsageError
from aisle.losses.sampled_softmax import sampled_softmax_loss

__all__ = ["NegativeSource", "retrieval_loss"]


@dataclass(frozen=True, eq=False)
class NegativeSource:
    """Negatives that were drawn in one way, and what they count in the loss.

    Attributes:
        name: Name in the trainer's report, such as "uniform" or "batch".
        scores: Score of each row against each column's product, before the temperature.
        weight: Factor of this source in the total, at least 0; a source of weight 0 is not computed.
        masked: True where a column is no negative of the row.
        log_sampling: Log of the expected number of columns that hold the column's product; for negatives that
            come from the batch itself. Uniform and mined negatives have none.
        log_weight: Log of the factor of each column in each row's sum.
    """

    name: str
    scores: Float[Tensor, "rows columns"]
    weight: float = 1.0
    masked: Bool[Tensor, "rows columns"] | None = None
    log_sampling: Float[Tensor, " columns"] | None = None
    log_weight: Float[Tensor, "rows columns"] | None = None


def retrieval_loss(
    positive: Float[Tensor, " rows"],
    sources: Sequence[NegativeSource],
    *,
    positive_weight: Float[Tensor, " rows"],
    temperature: float,
) -> tuple[Float[Tensor, ""], dict[str, Float[Tensor, ""]]]:
    """Add up one sampled softmax per source: `L_ret = Σ_k a_k · Σ_i v_i loss_k,i / Σ_i v_i`.

    Each source has a softmax of its own. In one softmax over all of them, the few hard negatives would take
    the whole gradient and no weight between the sources could be set.

    Args:
        positive: Score of each row's own product, before the temperature.
        sources: The sources a_k with distinct names, at least one of them of weight above 0.
        positive_weight: v_i, weight of each row (by the stage of its positive), at least 0. Where all are 0,
            or there are no rows, the loss is 0. Rows with every column masked stay in the sum of weights,
            with loss 0.
        temperature: τ of `sampled_softmax_loss`.

    Returns:
        The loss to minimise (nats), and the mean loss of each computed source before its factor a_k,
        detached.

    Raises:
        ShapeError: If the tensors do not fit each other.
        UsageError: If the names repeat, a weight is negative or not finite, all are 0, or the temperature is
            not positive.
    """
    _check_sources(sources)
    if positive_weight.shape != positive.shape:
        raise ShapeError(
            "positive_weight must have one entry per row",
            received={"positive_weight": tuple(positive_weight.shape), "positive": tuple(positive.shape)},
        )
    row_share = _normalised(positive_weight)
    means = {
        source.name: torch.sum(
            row_share
            * sampled_softmax_loss(
                positive,
                source.scores,
                temperature=temperature,
                masked=source.masked,
                log_sampling=source.log_sampling,
                log_weight=source.log_weight,
            )
        )
        for source in sources
        if source.weight > 0
    }
    total = torch.stack([source.weight * means[source.name] for source in sources if source.weight > 0]).sum()
    return total, {name: mean.detach() for name, mean in means.items()}


def _normalised(weight: Float[Tensor, " rows"]) -> Float[Tensor, " rows"]:
    """Divide by the sum, in float32 or better; all zeros stay zeros."""
    weight = weight.to(torch.promote_types(weight.dtype, torch.float32))
    return weight / weight.sum().clamp_min(torch.finfo(weight.dtype).tiny)


def _check_sources(sources: Sequence[NegativeSource]) -> None:
    weights = {source.name: source.weight for source in sources}
    if len(weights) != len(sources):
        raise UsageError(
            "Sources of negatives must have distinct names",
            received={"names": [source.name for source in sources]},
            remedy="Rename one, or join their columns into one source.",
        )
    if not all(math.isfinite(weight) and weight >= 0 for weight in weights.values()):
        raise UsageError(
            "Weights of sources must be finite and at least 0",
            received={"weights": weights},
            remedy="A weight of 0 switches a source off.",
        )
    if not any(weights.values()):
        raise UsageError(
            "At least one source of negatives must have a weight above 0",
            received={"weights": weights},
            remedy="Give the uniform or the in-batch source a weight.",
        )
