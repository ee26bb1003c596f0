"""The total loss of one batch: retrieval against every source of negatives, and ranking within searches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from aisle.losses import NegativeSource, SourceWeights, annealed_weights, ranking_loss, retrieval_loss
from aisle.negatives import hard_in_batch
from aisle.training.batches import Batch, Ranked
from aisle.training.config import TrainConfig

__all__ = ["batch_loss"]


def batch_loss(
    scores: Float[Tensor, "rows columns"], batch: Batch, config: TrainConfig, *, progress: float
) -> tuple[Float[Tensor, ""], dict[str, Float[Tensor, ""]]]:
    """Add up `L_ret + β · L_rank`.

    Args:
        scores: Score of every row's query with every column's product: in-batch, uniform, skipped.
        batch: Products, masks and weights.
        config: Weights and temperatures.
        progress: Share of the run that is done, in 0..1, by which the sources are annealed.

    Returns:
        The loss to minimise (nats), and what each source and the ranking came to before their weights, detached; what
        is off is left out.
    """
    weights = annealed_weights(
        progress,
        SourceWeights(uniform=config.uniform_weight, batch=config.batch_weight, hard_in_batch=config.hard_weight),
        uniform_start=1.0,
        warmup_share=config.anneal_warmup_share,
        end_share=config.anneal_end_share,
    )
    own = torch.arange(len(batch.product_index), device=scores.device)
    loss, means = retrieval_loss(
        scores[own, own],
        list(_sources(scores, batch, config, weights)),
        positive_weight=torch.from_numpy(batch.weight).to(scores.device),
        temperature=config.temperature,
    )
    if batch.ranked is None or config.ranking_weight == 0:
        return loss, means
    ranking = _ranking(scores, batch.ranked, config)
    return loss + config.ranking_weight * ranking, {**means, "ranking": ranking.detach()}


def _sources(
    scores: Float[Tensor, "rows columns"], batch: Batch, config: TrainConfig, weights: SourceWeights
) -> Iterator[NegativeSource]:
    device, rows, uniform = scores.device, len(batch.product_index), len(batch.uniform_index)
    log_weight = batch.log_weight.to(device) if batch.log_weight is not None else None
    in_batch = NegativeSource(
        "batch",
        scores[:, :rows],
        weight=weights.batch,
        masked=batch.batch_masked.to(device),
        log_sampling=batch.log_sampling.to(device) if batch.log_sampling is not None else None,
        log_weight=log_weight[:, :rows] if log_weight is not None else None,
    )
    yield in_batch
    if uniform:
        yield NegativeSource(
            "uniform",
            scores[:, rows : rows + uniform],
            weight=weights.uniform,
            masked=batch.uniform_masked.to(device),
            log_weight=log_weight[:, rows:] if log_weight is not None else None,
        )
    if weights.hard_in_batch > 0:
        candidates = torch.from_numpy(batch.product_index).to(device)
        yield hard_in_batch(in_batch, candidates, num_hard=config.num_hard, weight=weights.hard_in_batch)


def _ranking(scores: Float[Tensor, "rows columns"], ranked: Ranked, config: TrainConfig) -> Float[Tensor, ""]:
    device = scores.device
    begins = np.flatnonzero(np.diff(ranked.row, prepend=-1))
    offsets = np.append(begins, len(ranked.row))
    return ranking_loss(
        scores[torch.from_numpy(ranked.row).to(device), torch.from_numpy(ranked.column).to(device)],
        torch.from_numpy(ranked.grade).to(device),
        torch.from_numpy(offsets).to(device),
        temperature=config.ranking_temperature,
        margin=config.ranking_margin,
        weight=torch.from_numpy(ranked.weight).to(device),
    )
