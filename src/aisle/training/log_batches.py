"""Batches of a mined log: one batch, one slice, with the snapshot that its searches saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64

from aisle.core.ragged import expand_slices
from aisle.core.rng import generator
from aisle.features import Features
from aisle.negatives import (
    PositiveSets,
    UniformNegatives,
    in_batch_log_count,
    mask_copies,
    mask_known_positives,
    purchase_log_weight,
)
from aisle.tables import STAGE_GRADES, Stage
from aisle.training.batches import Batch, Ranked
from aisle.training.config import TrainConfig
from aisle.training.data import TrainingData
from aisle.training.judged import POSITIVE_GRADE
from aisle.training.log_data import LogData

__all__ = ["LogBatch", "LogBatchMaker"]

_FIRST_SNAPSHOT = 1
_ORDERED, _SHOWN = STAGE_GRADES[Stage.ORDERED], STAGE_GRADES[Stage.SHOWN]


@dataclass(frozen=True, eq=False)
class LogBatch(Batch):
    """One step on searches of one slice.

    Attributes:
        search: Search of every row.
        snapshot: The slice, and the snapshot of all inputs.
    """

    search: Int64[np.ndarray, " rows"]
    snapshot: int


class LogBatchMaker:
    """Draws batches of positives, each of one slice; step s of a seed is always the same batch.

    An epoch draws each positive of a slice at most once: what does not fill a batch waits for another epoch.

    Args:
        data: What is trained on.
        log: Its log.
        config: Sizes and weights.
        seed: Seed of the run.
    """

    def __init__(self, data: TrainingData, log: LogData, config: TrainConfig, *, seed: int) -> None:
        self.data, self.log, self.config, self.seed = data, log, config, seed
        self.num_products = len(data.product_features)
        self.num_uniform = min(config.num_uniform, self.num_products) if config.uniform_weight > 0 else 0
        self.num_skipped = config.num_skipped if config.ranking_weight > 0 else 0
        searches = log.train
        place, _ = expand_slices(np.asarray(searches.outcome_start), np.asarray(searches.outcome_end))
        length = np.asarray(searches.outcome_end) - np.asarray(searches.outcome_start)
        search = np.repeat(np.arange(len(length)), length)
        usable = (searches.grade[place] >= POSITIVE_GRADE) & (searches.snapshot[search] >= _FIRST_SNAPSHOT)
        self._search, self._place = search[usable], place[usable]
        self._product = np.asarray(searches.product_index[self._place])
        self._weight = searches.grade[self._place] / _ORDERED * searches.weight[self._place]
        self._group, query = np.asarray(searches.group[self._search]), searches.query_index[self._search]
        self._positives = PositiveSets.from_pairs(
            self._group, self._product, num_queries=int(np.max(searches.group, initial=-1)) + 1
        )
        bought = searches.grade[self._place] >= _ORDERED
        self._purchases = PositiveSets.from_pairs(
            np.asarray(query[bought]), self._product[bought], num_queries=len(data.query_features)
        )
        self._deal(np.asarray(searches.snapshot[self._search]))
        self._epoch, self._order = -1, np.empty((0, self.batch_size), np.int64)

    def _deal(self, snapshot: Int64[np.ndarray, " positives"]) -> None:
        """Settle the size of batches, the positives of each slice, and how often a product stands in a batch."""
        rows = [np.flatnonzero(snapshot == number) for number in np.unique(snapshot)]
        # No slice of a usual size is left out of a small log.
        self.batch_size = min(self.config.batch_size, int(np.median([len(one) for one in rows]))) if rows else 0
        self._slices = {int(snapshot[one[0]]): one for one in rows if len(one) >= self.batch_size}
        self.steps_per_epoch = sum(len(one) // self.batch_size for one in self._slices.values())
        self._log_count = {
            number: in_batch_log_count(
                np.bincount(self._product[one], minlength=self.num_products).astype(np.float64), self.batch_size
            )
            for number, one in self._slices.items()
        }
        self._on_sale = {number: self.log.on_sale(number) for number in self._slices}

    @property
    def num_pairs(self) -> int:
        """Positives that an epoch draws from."""
        return len(self._place)

    @property
    def encodes_per_pair(self) -> float:
        """Texts encoded per pair, at most."""
        return 2 + (self.num_uniform + self.num_skipped) / self.batch_size

    def batch(self, step: int) -> LogBatch:
        """Make the batch of a step, from 0."""
        rows = self._rows(step)
        searches, search, product = self.log.train, self._search[rows], self._product[rows]
        snapshot = int(searches.snapshot[search[0]])
        uniform = self._uniform(step, snapshot)
        columns = np.concatenate([product, uniform])
        candidates, query = torch.from_numpy(columns), torch.from_numpy(np.asarray(searches.query_index[search]))
        masked = mask_copies(candidates, torch.from_numpy(product))
        masked |= mask_known_positives(candidates, torch.from_numpy(self._group[rows]), self._positives)
        ranked = self._ranked(step, rows, len(columns)) if self.num_skipped else None
        return LogBatch(
            query_index=query.numpy(),
            product_index=product,
            uniform_index=uniform,
            weight=self._weight[rows].astype(np.float32),
            batch_masked=masked[:, : len(rows)],
            uniform_masked=masked[:, len(rows) :],
            log_sampling=torch.from_numpy(self._log_count[snapshot][product]) if self.config.log_q else None,
            log_weight=purchase_log_weight(candidates, query, self._purchases, factor=self.config.purchase_factor),
            ranked=ranked,
            search=search,
            snapshot=snapshot,
        )

    def features(self, batch: Batch) -> tuple[Features, Features]:
        """Make the inputs of a batch's queries and of its columns, as of the batch's snapshot."""
        assert isinstance(batch, LogBatch)
        log, data = self.log, self.data
        queries = log.queries(data.query_features, log.train, batch.search, snapshot=batch.snapshot)
        return queries, log.products(data.product_features, batch.columns, snapshot=batch.snapshot)

    def _rows(self, step: int) -> Int64[np.ndarray, " rows"]:
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            rng = generator(self.seed, "order", epoch)
            cut = [
                rng.permutation(one)[: len(one) // self.batch_size * self.batch_size].reshape(-1, self.batch_size)
                for one in self._slices.values()
            ]
            self._epoch, self._order = epoch, rng.permutation(np.concatenate(cut))
        return self._order[place]

    def _uniform(self, step: int, snapshot: int) -> Int64[np.ndarray, " uniform"]:
        allowed = self._on_sale[snapshot]
        if not self.num_uniform or not len(allowed):
            return np.empty(0, np.int64)
        sampler = UniformNegatives(self.num_products, self.num_uniform, allowed=allowed)
        return sampler.draw(generator(self.seed, "uniform", step))

    def _ranked(self, step: int, rows: Int64[np.ndarray, " rows"], num_columns: int) -> Ranked:
        """Lay beside the batch's positives some products that were shown in the same searches and skipped."""
        searches = self.log.train
        found, first = np.unique(self._search[rows], return_index=True)
        begin, end = np.asarray(searches.outcome_start[found]), np.asarray(searches.outcome_end[found])
        place, offsets = expand_slices(begin, end)
        row = np.repeat(first, np.diff(offsets))
        skipped = np.flatnonzero(searches.grade[place] == _SHOWN)
        rng = generator(self.seed, "skipped", step)
        skipped = rng.choice(skipped, min(self.num_skipped, len(skipped)), replace=False, shuffle=False)
        of_row = first[np.searchsorted(found, self._search[rows])]
        item_row = np.concatenate([of_row, row[skipped]])
        order = np.argsort(item_row, kind="stable")
        extra = np.asarray(searches.product_index[place[skipped]])
        ones = np.ones(len(extra), np.float32)
        grade: Float32[np.ndarray, " items"] = np.concatenate([searches.grade[self._place[rows]], _SHOWN * ones])
        weight = np.concatenate([searches.weight[self._place[rows]], ones])
        # Columns of the skipped stand behind all others.
        column = np.concatenate([np.arange(len(rows)), np.arange(len(extra)) + num_columns])
        return Ranked(extra, item_row[order], column[order], grade[order], weight[order].astype(np.float32))
