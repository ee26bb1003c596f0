"""One step's pairs, negatives and masks, as a pure function of seed and step: a resumed run meets the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

from aisle.core.rng import generator
from aisle.features import Features
from aisle.negatives import (
    PositiveSets,
    UniformNegatives,
    in_batch_log_count,
    mask_copies,
    mask_known_positives,
    mask_matching_products,
)
from aisle.training.data import TrainingData

__all__ = ["Batch", "BatchMaker", "Batches", "Mined", "Ranked"]


@dataclass(frozen=True, eq=False)
class Ranked:
    """What the searches of a batch came to, product by product; the products of one search stand together.

    Attributes:
        product_index: Products that were shown and skipped: further columns behind those of the batch.
        row: Row whose query each item is scored with; one per search, ascending.
        column: Column of each item.
        grade: Stage grade of each item.
        weight: What the pairs that an item wins count.
        inverse_propensity: Factor on that weight for products that were shown rarely; 1 where nothing is weighted.
    """

    product_index: Int64[np.ndarray, " skipped"]
    row: Int64[np.ndarray, " items"]
    column: Int64[np.ndarray, " items"]
    grade: Float32[np.ndarray, " items"]
    weight: Float32[np.ndarray, " items"]
    inverse_propensity: Float32[np.ndarray, " items"]


@dataclass(frozen=True, eq=False)
class Mined:
    """Dynamic negatives of a batch; the last columns of its scores.

    Attributes:
        product_index: Distinct products, shared by all rows.
        masked: Columns that are no negatives of a row.
        log_weight: Log of what each column counts in each row.
    """

    product_index: Int64[np.ndarray, " mined"]
    masked: Bool[Tensor, "rows mined"]
    log_weight: Float32[Tensor, "rows mined"]


@dataclass(frozen=True, eq=False, kw_only=True)
class Batch:
    """One step.

    Attributes:
        query_index: Query of every row.
        product_index: Positive product of every row; also the in-batch columns.
        uniform_index: Products of the uniform columns; empty where the source is off.
        weight: What every row counts.
        batch_masked: In-batch columns that are no negatives of a row.
        uniform_masked: Uniform columns that are no negatives of a row.
        log_sampling: Log of the expected count of every in-batch column, or None.
        log_weight: Log of what in-batch and uniform columns count in each row, or None: all alike.
        ranked: What the ranking loss compares, or None.
        mined: Dynamic negatives, which are drawn and encoded once the other columns have their scores, or None.
    """

    query_index: Int64[np.ndarray, " rows"]
    product_index: Int64[np.ndarray, " rows"]
    uniform_index: Int64[np.ndarray, " uniform"]
    weight: Float32[np.ndarray, " rows"]
    batch_masked: Bool[Tensor, "rows rows"]
    uniform_masked: Bool[Tensor, "rows uniform"]
    log_sampling: Float32[Tensor, " rows"] | None
    log_weight: Float32[Tensor, "rows columns"] | None = None
    ranked: Ranked | None = None
    mined: Mined | None = None

    @property
    def columns(self) -> Int64[np.ndarray, " columns"]:
        """Products of the columns that are encoded together: in-batch, uniform, skipped."""
        skipped = [] if self.ranked is None else [self.ranked.product_index]
        return np.concatenate([self.product_index, self.uniform_index, *skipped])


class Batches(Protocol):
    """What the trainer takes its steps from."""

    batch_size: int
    steps_per_epoch: int
    num_products: int

    def batch(self, step: int) -> Batch:
        """Make the batch of a step, from 0."""
        ...

    def features(self, batch: Batch) -> tuple[Features, Features]:
        """Make the inputs of a batch's queries and of its columns."""
        ...


class BatchMaker:
    """Draws batches; step s of a seed is always the same batch.

    Args:
        data: What is trained on.
        batch_size: Rows of a batch; fewer where there are fewer pairs.
        num_uniform: Uniform columns, the whole catalogue where it has no more; 0 switches them off.
        log_q: Whether in-batch columns carry their sampling frequency.
        seed: Seed of the run.
    """

    def __init__(self, data: TrainingData, *, batch_size: int, num_uniform: int, log_q: bool, seed: int) -> None:
        self.data = data
        self.seed = seed
        self.num_products = len(data.product_features)
        self.num_uniform = min(num_uniform, self.num_products)
        self.batch_size = min(batch_size, len(data.pairs))
        self.steps_per_epoch = len(data.pairs) // self.batch_size
        self._positives = PositiveSets.from_pairs(
            np.asarray(data.pairs.query_index),
            np.asarray(data.pairs.product_index),
            num_queries=len(data.pairs.queries),
        )
        frequency = np.bincount(data.pairs.product_index, minlength=self.num_products).astype(np.float64)
        self._log_count = in_batch_log_count(frequency, self.batch_size) if log_q else None
        self._epoch, self._order = -1, np.empty(0, np.int64)

    def features(self, batch: Batch) -> tuple[Features, Features]:
        """Take the features of a batch's queries and of its columns."""
        return self.data.query_features.take(batch.query_index), self.data.product_features.take(batch.columns)

    def batch(self, step: int) -> Batch:
        """Make the batch of a step, from 0."""
        rows = self._rows(step)
        pairs = self.data.pairs
        query = np.asarray(pairs.query_index[rows], np.int64)
        product = np.asarray(pairs.product_index[rows], np.int64)
        uniform = self._uniform(step)
        masked = self._masked(query, product, np.concatenate([product, uniform]))
        return Batch(
            query_index=query,
            product_index=product,
            uniform_index=uniform,
            weight=np.asarray(pairs.weight[rows], np.float32),
            batch_masked=masked[:, : len(rows)],
            uniform_masked=masked[:, len(rows) :],
            log_sampling=torch.from_numpy(self._log_count[product]) if self._log_count is not None else None,
        )

    def _rows(self, step: int) -> Int64[np.ndarray, " rows"]:
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, generator(self.seed, "order", epoch).permutation(len(self.data.pairs))
        return self._order[place * self.batch_size : (place + 1) * self.batch_size]

    def _uniform(self, step: int) -> Int64[np.ndarray, " uniform"]:
        if not self.num_uniform:
            return np.empty(0, np.int64)
        return UniformNegatives(self.num_products, self.num_uniform).draw(generator(self.seed, "uniform", step))

    def _masked(self, query: np.ndarray, product: np.ndarray, columns: np.ndarray) -> Bool[Tensor, "rows columns"]:
        """Leave out copies of the row's product, known positives of its query, and products that hold all its words."""
        candidates = torch.from_numpy(columns)
        masked = mask_copies(candidates, torch.from_numpy(product))
        masked |= mask_known_positives(candidates, torch.from_numpy(query), self._positives)
        return masked | mask_matching_products(self.data.query_words[query], self.data.product_words[columns])
