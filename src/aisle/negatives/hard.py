"""Hard negatives that cost no encoding: the batch's own columns that score highest in a row."""

from __future__ import annotations

import math

import torch
from jaxtyping import Int64
from torch import Tensor

from aisle.core.errors import UsageError
from aisle.losses import NegativeSource
from aisle.negatives.masks import mask_repeats

__all__ = ["hard_in_batch"]


def hard_in_batch(
    batch: NegativeSource, candidate_index: Int64[Tensor, " columns"], *, num_hard: int, weight: float
) -> NegativeSource:
    """Take from a batch's columns the highest distinct products of each row, as a source of their own.

    The softmax over the whole batch has hundreds of easy columns in its sum; here the few that are confused with the
    positive stand alone. They are chosen for their score and not by how often they stand in a batch, so they carry no
    logQ correction, and of several columns with one product the first stands for all.

    Args:
        batch: The in-batch source: its scores, masks (copies, known positives) and column weights.
        candidate_index: Product of every column.
        num_hard: Columns to take in each row, at least 1; all that there are if fewer.
        weight: Factor of the new source in the retrieval loss.

    Returns:
        Source "hard_in_batch" of [rows, num_hard], hardest first: scores with their gradient, `log_weight` where the
        batch has one, and True in `masked` where a row has fewer negatives than places. A NaN score that is not masked
        counts as the highest, so that the loss shows it.

    Raises:
        UsageError: If `num_hard` is below 1.

    Source: Jha et al. 2023 (in-batch hard negatives at Etsy); Huang et al. 2020, "Embedding-based Retrieval in Facebook
        Search", section 6.1 (the nearest other positives of the batch; few of them, beside random ones). A softmax over
        them, and one column per product, are ours.
    """
    if num_hard < 1:
        raise UsageError(
            "num_hard must be at least 1",
            received={"num_hard": num_hard},
            remedy="A weight of 0 switches the source off.",
        )
    masked = mask_repeats(candidate_index).expand(batch.scores.shape)
    if batch.masked is not None:
        masked = masked | batch.masked
    if batch.log_weight is not None:
        masked = masked | (batch.log_weight == -math.inf)
    ranked = batch.scores.detach().masked_fill(masked, -math.inf)
    column = torch.topk(ranked, min(num_hard, len(candidate_index)), dim=1).indices
    return NegativeSource(
        "hard_in_batch",
        batch.scores.gather(1, column),
        weight=weight,
        masked=masked.gather(1, column),
        log_weight=batch.log_weight.gather(1, column) if batch.log_weight is not None else None,
    )
