"""How the weights between sources of negatives move while a run goes on."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass

from aisle.core.errors import UsageError

__all__ = ["SourceWeights", "annealed_weights"]


@dataclass(frozen=True)
class SourceWeights:
    """Factor of each source of negatives in the retrieval loss; 0 switches a source off.

    Attributes:
        uniform: a_u, products drawn evenly from those on sale.
        batch: a_b, the other rows' products, corrected for how often they stand in a batch.
        hard_in_batch: a_h, the batch's columns that score highest in a row.
        dynamic: a_d, products that the current model ranks high.

    Raises:
        UsageError: If a weight is negative or not finite, or all are 0.
    """

    uniform: float = 0.0
    batch: float = 0.0
    hard_in_batch: float = 0.0
    dynamic: float = 0.0

    def __post_init__(self) -> None:
        weights = astuple(self)
        if not all(math.isfinite(weight) and weight >= 0 for weight in weights) or not any(weights):
            raise UsageError(
                "Weights of sources must be finite, at least 0, and not all 0",
                received={"weights": self},
                remedy="Give the uniform or the in-batch source a weight.",
            )


def annealed_weights(
    progress: float,
    final: SourceWeights,
    *,
    uniform_start: float,
    warmup_share: float,
    end_share: float,
) -> SourceWeights:
    """Return the weights at a point of the run: uniform negatives alone first, then a line to the final weights.

    Hard negatives of a model that knows nothing are noise, and mostly products that answer the query as well; by
    the time the model is right about most of the catalogue, uniform negatives teach it nothing more.

    Args:
        progress: Share of the planned steps that are done, in 0..1.
        final: Weights from `end_share` on.
        uniform_start: a_u while it is alone, above 0. With `final.uniform` below it, it falls.
        warmup_share: Share of the run with uniform negatives alone, in 0..end_share.
        end_share: Where the final weights are reached, at most 1. With `warmup_share` equal to it the weights jump;
            with both 0 there is no annealing.

    Returns:
        A step's weights: `uniform_start` alone before `warmup_share`, `final` from `end_share` on, and between them
        on a straight line.

    Raises:
        UsageError: If `progress` or a share is out of its range, or `uniform_start` is not a positive finite number.

    Source: Jha et al. 2023, "Unified Embedding Based Personalized Retrieval in Etsy Search" (warm-up with uniform
        negatives alone, then a linear decay of theirs and rise of the others' weights). The two shares are ours: the
        paper gives no times.
    """
    _check(progress, uniform_start=uniform_start, warmup_share=warmup_share, end_share=end_share)
    if progress >= end_share:
        return final
    if progress < warmup_share:
        return SourceWeights(uniform=uniform_start)
    done = (progress - warmup_share) / (end_share - warmup_share)
    return SourceWeights(
        uniform=(1 - done) * uniform_start + done * final.uniform,
        batch=done * final.batch,
        hard_in_batch=done * final.hard_in_batch,
        dynamic=done * final.dynamic,
    )


def _check(progress: float, *, uniform_start: float, warmup_share: float, end_share: float) -> None:
    if not 0 <= progress <= 1:
        raise UsageError("progress must lie in 0..1", received={"progress": progress})
    if not 0 <= warmup_share <= end_share <= 1:
        raise UsageError(
            "0 <= warmup_share <= end_share <= 1 must hold",
            received={"warmup_share": warmup_share, "end_share": end_share},
            remedy="Set both to 0 to train with the final weights from the first step.",
        )
    if not (math.isfinite(uniform_start) and uniform_start > 0):
        raise UsageError(
            "uniform_start must be a positive finite number",
            received={"uniform_start": uniform_start},
            remedy="Warm-up trains on uniform negatives alone; set both shares to 0 to go without.",
        )
