"""The total loss of one batch: retrieval against every source of negatives, and ranking within searches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from aisle.losses import (
    NegativeSource,
    SourceWeights,
    annealed_weights,
    multi_part_hinge_loss,
    ranking_loss,
    retrieval_loss,
)
from aisle.negatives import hard_in_batch, mask_above
from aisle.training.batches import Batch, Ranked
from aisle.training.config import TrainConfig
from aisle.training.hinge_scale import HingeScale

__all__ = ["batch_loss", "source_weights"]


def source_weights(config: TrainConfig, progress: float) -> SourceWeights:
    """Return what each source of negatives counts at a point of the run.

    Args:
        config: Final weights, and how they are annealed.
        progress: Share of the run that is done, in 0..1.
    """
    return annealed_weights(
        progress,
        SourceWeights(
            uniform=config.uniform_weight,
            batch=config.batch_weight,
            hard_in_batch=config.hard_weight,
            dynamic=config.dynamic_weight,
        ),
        uniform_start=1.0,
        warmup_share=config.anneal_warmup_share,
        end_share=config.anneal_end_share,
    )


def batch_loss(
    scores: Float[Tensor, "rows columns"],
    batch: Batch,
    config: TrainConfig,
    *,
    progress: float,
    hinge: HingeScale | None = None,
) -> tuple[Float[Tensor, ""], dict[str, Float[Tensor, ""]]]:
    """Add up `L_ret + β · L_rank + γ · L_hinge`.

    Args:
        scores: Score of every row's query with every column's product: in-batch, uniform, skipped, dynamic.
        batch: Products, masks and weights.
        config: Weights and temperatures.
        progress: Share of the run that is done, in 0..1, by which the sources are annealed.
        hinge: α and b of the hinge; None where it is off.

    Returns:
        The loss to minimise (nats), and what each source, the ranking and the hinge came to before their weights,
        detached; what is off is left out.
    """
    weights = source_weights(config, progress)
    own = torch.arange(len(batch.product_index), device=scores.device)
    loss, means = retrieval_loss(
        scores[own, own],
        list(_sources(scores, batch, config, weights)),
        positive_weight=torch.from_numpy(batch.weight).to(scores.device),
        temperature=config.temperature,
    )
    if batch.ranked is not None and config.ranking_weight > 0:
        ranking = _ranking(scores, batch.ranked, config)
        loss, means = loss + config.ranking_weight * ranking, {**means, "ranking": ranking.detach()}
    if batch.ranked is not None and hinge is not None:
        above = _hinge(scores, batch, batch.ranked, config, hinge)
        loss, means = loss + config.hinge_weight * above, {**means, "hinge": above.detach()}
    return loss, means


def _sources(
    scores: Float[Tensor, "rows columns"],
    batch: Batch,
    config: TrainConfig,
    weights: SourceWeights,
) -> Iterator[NegativeSource]:
    device, rows, uniform = scores.device, len(batch.product_index), len(batch.uniform_index)
    log_weight = batch.log_weight.to(device) if batch.log_weight is not None else None
    masked = batch.batch_masked.to(device)
    if config.false_negative_margin is not None:
        masked = masked | mask_above(scores[:, :rows], scores[:, :rows].diagonal(), margin=config.false_negative_margin)
    in_batch = NegativeSource(
        "batch",
        scores[:, :rows],
        weight=weights.batch,
        masked=masked,
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
    if batch.mined is not None:
        yield NegativeSource(
            "dynamic",
            scores[:, scores.shape[1] - len(batch.mined.product_index) :],
            weight=weights.dynamic,
            masked=batch.mined.masked.to(device),
            log_weight=batch.mined.log_weight.to(device),
        )
    if weights.hard_in_batch > 0:
        candidates = torch.from_numpy(batch.product_index).to(device)
        yield hard_in_batch(in_batch, candidates, num_hard=config.num_hard, weight=weights.hard_in_batch)


def _ranking(scores: Float[Tensor, "rows columns"], ranked: Ranked, config: TrainConfig) -> Float[Tensor, ""]:
    device = scores.device
    begins = np.flatnonzero(np.diff(ranked.row, prepend=-1))
    offsets = np.append(begins, len(ranked.row))
    return ranking_loss(
        _item_scores(scores, ranked),
        torch.from_numpy(ranked.grade).to(device),
        torch.from_numpy(offsets).to(device),
        temperature=config.ranking_temperature,
        margin=config.ranking_margin,
        weight=torch.from_numpy(ranked.weight * ranked.inverse_propensity).to(device),
    )


def _hinge(
    scores: Float[Tensor, "rows columns"], batch: Batch, ranked: Ranked, config: TrainConfig, hinge: HingeScale
) -> Float[Tensor, ""]:
    """Hold what was shown and the uniform columns, which were not, to their sides of the thresholds."""
    rows, device = len(batch.product_index), scores.device
    end = rows + len(batch.uniform_index)
    random, free = scores[:, rows:end], ~batch.uniform_masked.to(device)
    weight = torch.ones_like(random) if batch.log_weight is None else batch.log_weight[:, rows:].to(device).exp()
    items = _item_scores(scores, ranked)
    return multi_part_hinge_loss(
        torch.cat([items, random[free]]),
        torch.cat([torch.from_numpy(ranked.grade).to(device), random.new_zeros(int(free.sum()))]),
        config.hinge.thresholds(),
        log_scale=hinge.log_scale,
        shift=hinge.shift,
        weight=torch.cat([torch.from_numpy(ranked.weight).to(device), weight[free]]),
    )


def _item_scores(scores: Float[Tensor, "rows columns"], ranked: Ranked) -> Float[Tensor, " items"]:
    return scores[torch.from_numpy(ranked.row).to(scores.device), torch.from_numpy(ranked.column).to(scores.device)]
