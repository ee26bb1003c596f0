"""How large the steps are and how many: a small shop gets enough of them to learn anything."""

from __future__ import annotations

import math
from dataclasses import replace

from aisle.training.batches import Batches, BatchMaker
from aisle.training.config import TrainConfig
from aisle.training.data import TrainingData
from aisle.training.log_batches import LogBatchMaker

__all__ = ["LEAST_BATCH", "make_batches", "num_epochs", "validation_interval"]

LEAST_BATCH = 64
"""Batches are not made smaller than this: in-batch negatives would be too few."""


def make_batches(data: TrainingData, config: TrainConfig, *, seed: int) -> Batches:
    """Make the batches of a run; smaller ones where the epochs would come to fewer than `min_steps` of the set size.

    A smaller batch shares fewer columns beside its own products, in proportion, so that a pair costs as many encoded
    texts in a small shop as in a large one.

    Args:
        data: What is trained on.
        config: Sizes and weights.
        seed: Seed of the run.
    """
    batches = _batches(data, config, seed=seed)
    if config.epochs * batches.steps_per_epoch >= config.min_steps:
        return batches
    fitting = config.epochs * batches.steps_per_epoch * batches.batch_size // config.min_steps
    size = max(fitting, min(LEAST_BATCH, config.batch_size))
    if size >= batches.batch_size:
        return batches
    return _batches(data, _smaller(config, size), seed=seed)


def num_epochs(batches: Batches, config: TrainConfig) -> int:
    """Return how often the pairs are gone through, so that there are at least `min_steps` steps."""
    return max(config.epochs, math.ceil(config.min_steps / max(1, batches.steps_per_epoch)))


def validation_interval(batches: Batches, config: TrainConfig) -> int:
    """Return the steps between validations: there are as many where epochs were added, further apart.

    Else a run of 300 epochs would validate 600 times, and stop after three that happen to bring nothing new.
    """
    per_epoch = max(1, batches.steps_per_epoch // config.validations_per_epoch)
    return per_epoch * num_epochs(batches, config) // config.epochs


def _smaller(config: TrainConfig, batch_size: int) -> TrainConfig:
    def scaled(columns: int) -> int:
        return math.ceil(columns * batch_size / config.batch_size)

    return replace(
        config,
        batch_size=batch_size,
        num_uniform=scaled(config.num_uniform),
        num_skipped=scaled(config.num_skipped),
        dynamic=replace(config.dynamic, num_columns=scaled(config.dynamic.num_columns)),
    )


def _batches(data: TrainingData, config: TrainConfig, *, seed: int) -> Batches:
    if data.log is not None:
        return LogBatchMaker(data, data.log, config, seed=seed)
    num_uniform = config.num_uniform if config.uniform_weight > 0 else 0
    return BatchMaker(data, batch_size=config.batch_size, num_uniform=num_uniform, log_q=config.log_q, seed=seed)
