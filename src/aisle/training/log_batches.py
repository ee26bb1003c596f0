"""Batches of a mined log: one batch, one slice, with the snapshot that its searches saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float32, Int64

from aisle.core.ragged import expand_slices
from aisle.core.rng import generator
from aisle.features import Features
from aisle.negatives import UniformNegatives, in_batch_log_count
from aisle.tables import STAGE_GRADES, Stage
from aisle.training.batches import Batch, Ranked
from aisle.training.beside import BesideDraw, BesidePairs
from aisle.training.config import TrainConfig
from aisle.training.data import TrainingData
from aisle.training.log_data import LogData
from aisle.training.log_positives import LogPositives
from aisle.training.replay import Replay

__all__ = ["LogBatch", "LogBatchMaker"]

_FIRST_SNAPSHOT = 1
_SECOND_US = 1_000_000
_SHOWN = STAGE_GRADES[Stage.SHOWN]


@dataclass(frozen=True, eq=False)
class LogBatch(Batch):
    """One step on searches of one slice.

    Attributes:
        positive: Positive of every row.
        search: Search of every row; -1 of one beside the log.
        snapshot: The slice, and the snapshot of all inputs.
    """

    positive: Int64[np.ndarray, " rows"]
    search: Int64[np.ndarray, " rows"]
    snapshot: int


class LogBatchMaker:
    """Draws batches of positives, each of one slice; step s of a seed is always the same batch.

    An epoch draws each positive of a slice at most once: what does not fill a batch waits for another epoch. Where the
    log goes on from a model, it draws the new days and some of those before; see `Replay`.

    Args:
        data: What is trained on.
        log: Its log.
        config: Sizes and weights.
        seed: Seed of the run.
    """

    def __init__(self, data: TrainingData, log: LogData, config: TrainConfig, *, seed: int) -> None:
        self.data, self.log, self.config, self.seed = data, log, config, seed
        self.num_products = len(data.product_features)
        # The hinge needs products that were not shown beside those that were.
        draws_uniform = config.uniform_weight > 0 or config.hinge_weight > 0
        self.num_uniform = min(config.num_uniform, self.num_products) if draws_uniform else 0
        self._ranks = config.ranking_weight > 0 or config.hinge_weight > 0
        self.num_skipped = config.num_skipped if self._ranks else 0
        self.positives = LogPositives.of(log.train, config, num_queries=len(data.query_features))
        self.num_pairs = len(self.positives)
        """Positives of the log that an epoch draws from."""
        if len(log.beside):
            words = {"query_words": data.query_words, "product_words": data.product_words}
            self.positives = self.positives.with_beside(log.beside, **words)
        self._deal(self.positives.snapshot)
        self._epoch, self._order = -1, np.empty((0, self._own), np.int64)

    def _deal(self, snapshot: Int64[np.ndarray, " positives"]) -> None:
        """Settle the size of batches, the positives of each slice, and how often a product stands in a batch."""
        rows = [np.flatnonzero(snapshot == number) for number in np.unique(snapshot[snapshot >= _FIRST_SNAPSHOT])]
        judged, pseudo = _shares(self.log.beside, self.config)
        own = 1 - judged - pseudo
        # No slice of a usual size is left out of a small log.
        self._own = min(max(1, round(own * self.config.batch_size)), int(np.median([len(one) for one in rows])))
        self._replay = self._new_days({int(snapshot[one[0]]): one for one in rows}, most=self._own)
        self._own = self._own if self._replay is None else self._replay.size
        self._slices = {int(snapshot[one[0]]): one for one in rows if len(one) >= self._own}
        self.steps_per_epoch = sum(len(one) // self._own for one in self._slices.values())
        if self._replay is not None:
            self.steps_per_epoch = self._replay.num_new + self._replay.num_learnt
        self._on_sale = {number: self.log.on_sale(number) for number in self._slices}
        sizes = {"num_judged": round(self._own * judged / own), "num_pseudo": round(self._own * pseudo / own)}
        self.batch_size = self._own + sum(sizes.values())
        self._beside = BesideDraw(self.log.beside, self._on_sale, **sizes, seed=self.seed)
        self._log_count = {number: self._expected_log_count(number) for number in self._slices}

    def _new_days(self, slices: Mapping[int, Int64[np.ndarray, " positives"]], *, most: int) -> Replay | None:
        """Tell new positives from those that the model that is gone on from has learnt; None without one."""
        until_us, warm = self.log.learnt_until_us, self.config.warm
        if until_us is None:
            return None
        searched_s, search = np.asarray(self.log.train.searched_at_s), self.positives.search
        is_new = (search >= 0) & (searched_s[search] >= until_us // _SECOND_US)
        return Replay.of(slices, is_new, most=most, passes=warm.passes, share=warm.replay_share)

    def _expected_log_count(self, snapshot: int) -> Float32[np.ndarray, " products"]:
        own = self._slices[snapshot]
        beside = self._beside.expected_count(snapshot, num_products=self.num_products)
        frequency = np.bincount(self.positives.product[own], minlength=self.num_products)
        return in_batch_log_count(frequency + len(own) / self._own * beside, self._own + round(beside.sum()))

    def batch(self, step: int) -> LogBatch:
        """Make the batch of a step, from 0."""
        own, positives = self._rows(step), self.positives
        snapshot = int(positives.snapshot[own[0]])
        rows = np.concatenate([own, self.num_pairs + self._beside.draw(step, snapshot)])
        product = positives.product[rows]
        uniform = self._uniform(step, snapshot)
        columns = np.concatenate([product, uniform])
        masked, log_weight = positives.against(rows, columns)
        return LogBatch(
            query_index=positives.query[rows],
            product_index=product,
            uniform_index=uniform,
            weight=positives.weight[rows],
            batch_masked=masked[:, : len(rows)],
            uniform_masked=masked[:, len(rows) :],
            log_sampling=torch.from_numpy(self._log_count[snapshot][product]) if self.config.log_q else None,
            log_weight=log_weight,
            ranked=self._ranked(step, own, len(columns)) if self._ranks else None,
            positive=rows,
            search=positives.search[rows],
            snapshot=snapshot,
        )

    def features(self, batch: Batch) -> tuple[Features, Features]:
        """Make the inputs of a batch's queries and of its columns, as of the batch's snapshot."""
        assert isinstance(batch, LogBatch)
        log, data = self.log, self.data
        asked, every = log.asked(batch.search, batch.query_index), np.arange(len(batch.search))
        queries = log.queries(data.query_features, asked, every, snapshot=batch.snapshot)
        return queries, self.products(batch.columns, snapshot=batch.snapshot)

    def products(self, products: Int64[np.ndarray, " products"], *, snapshot: int) -> Features:
        """Make the inputs of products, as of a snapshot."""
        return self.log.products(self.data.product_features, products, snapshot=snapshot)

    def on_sale(self, snapshot: int) -> Int64[np.ndarray, " on_sale"]:
        """Return the products on sale at the snapshot of a slice that is drawn from."""
        return self._on_sale[snapshot]

    def _rows(self, step: int) -> Int64[np.ndarray, " rows"]:
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            rng = generator(self.seed, "order", epoch)
            self._epoch, self._order = epoch, self._drawn(rng)
        return self._order[place]

    def _drawn(self, rng: np.random.Generator) -> Int64[np.ndarray, "batches rows"]:
        if self._replay is not None:
            return self._replay.draw(rng)
        cut = [
            rng.permutation(one)[: len(one) // self._own * self._own].reshape(-1, self._own)
            for one in self._slices.values()
        ]
        return rng.permutation(np.concatenate(cut))

    def _uniform(self, step: int, snapshot: int) -> Int64[np.ndarray, " uniform"]:
        allowed = self._on_sale[snapshot]
        if not self.num_uniform or not len(allowed):
            return np.empty(0, np.int64)
        sampler = UniformNegatives(self.num_products, self.num_uniform, allowed=allowed)
        return sampler.draw(generator(self.seed, "uniform", step))

    def _ranked(self, step: int, rows: Int64[np.ndarray, " rows"], num_columns: int) -> Ranked:
        """Lay beside the batch's positives some products that were shown in the same searches and skipped."""
        searches, positives = self.log.train, self.positives
        found, first = np.unique(positives.search[rows], return_index=True)
        begin, end = np.asarray(searches.outcome_start[found]), np.asarray(searches.outcome_end[found])
        place, offsets = expand_slices(begin, end)
        row = np.repeat(first, np.diff(offsets))
        skipped = np.flatnonzero(searches.grade[place] == _SHOWN)
        rng = generator(self.seed, "skipped", step)
        skipped = rng.choice(skipped, min(self.num_skipped, len(skipped)), replace=False, shuffle=False)
        item_row = np.concatenate([first[np.searchsorted(found, positives.search[rows])], row[skipped]])
        order = np.argsort(item_row, kind="stable")
        extra = np.asarray(searches.product_index[place[skipped]])
        ones = np.ones(len(extra), np.float32)
        grade: Float32[np.ndarray, " items"] = np.concatenate([searches.grade[positives.place[rows]], _SHOWN * ones])
        return Ranked(
            product_index=extra,
            row=item_row[order],
            # Columns of the skipped stand behind all others.
            column=np.concatenate([np.arange(len(rows)), np.arange(len(extra)) + num_columns])[order],
            grade=grade[order],
            weight=np.concatenate([positives.discount[rows], ones])[order],
            inverse_propensity=np.concatenate([positives.inverse_propensity[rows], ones])[order],
        )


def _shares(beside: BesidePairs, config: TrainConfig) -> tuple[float, float]:
    """Return the shares of judged pairs and of pseudo-queries in a batch; what is not there has none."""
    return (
        config.judged_share if beside.is_judged.any() else 0.0,
        config.pseudo_share if not beside.is_judged.all() else 0.0,
    )
