"""The training loop: steps, validation, early stop, checkpoints; a resumed run ends as an unbroken one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from aisle.core.errors import UsageError, WorkspaceError
from aisle.core.progress import progress_bar
from aisle.core.rng import stream_seed
from aisle.encoders.precision import bf16_autocast
from aisle.towers import TwoTower, VectorTable, VectorTables, product_batch, query_batch
from aisle.training.batches import Batch, Batches, BatchMaker
from aisle.training.checkpoint import Checkpoint, Progress
from aisle.training.config import TrainConfig
from aisle.training.data import TrainingData
from aisle.training.log_batches import LogBatchMaker
from aisle.training.objective import batch_loss
from aisle.training.optimisers import Optimisers, schedule
from aisle.training.validation import ANY_GRADE, validation_recall

__all__ = ["Trainer", "TrainingResult", "train"]

_RATE_AFTER = 20
"""Steps after which the rate is known well enough to plan what fits into the time bound."""


@dataclass(frozen=True)
class TrainingResult:
    """What a run came to.

    Attributes:
        recall: Best validation recall, in 0..1: at 100, or at a tenth of a catalogue of fewer than 1,000 products.
        best_step: Step of the weights that were kept.
        steps: Steps done.
        pairs_s: Pairs per second of the steps over all tries, validation apart.
        encodes_per_pair: Texts encoded per pair.
        minutes: Training time over all tries, validation included.
        history: One row per validation.
    """

    recall: float
    best_step: int
    steps: int
    pairs_s: float
    encodes_per_pair: float
    minutes: float
    history: list[dict[str, float]]


def train(model: TwoTower, data: TrainingData, config: TrainConfig, *, folder: Path, seed: int) -> TrainingResult:
    """Train a model in place, with checkpoints in `folder`; goes on from a checkpoint that lies there.

    The model ends with the weights of the best validation.

    Raises:
        UsageError: If there are fewer than two training pairs or no validation query that a product answers.
        WorkspaceError: If the checkpoint is damaged or of another model.
    """
    num_answered = int(data.validation.qrels.has_relevant(ANY_GRADE).sum())
    if len(data.pairs) < 2 or not num_answered:
        raise UsageError(
            "Training needs at least 2 pairs and 1 validation query that a product answers",
            received={"pairs": len(data.pairs), "validation_queries": num_answered},
            remedy="Import more products, or judgments with a train split and --grades.",
        )
    return Trainer(model, data, config, folder=folder, seed=seed).run()


class Trainer:
    """One run of training; see `train`."""

    def __init__(self, model: TwoTower, data: TrainingData, config: TrainConfig, *, folder: Path, seed: int) -> None:
        self.model, self.data, self.config, self.folder, self.seed = model, data, config, folder, seed
        self.device = next(model.network.parameters()).device
        self.batches: Batches = _batches(data, config, seed=seed)
        self.optimisers = Optimisers(model.network, model.config, config)
        self.progress = Progress()
        self.best: dict[str, Tensor] = {}
        self._resume()

    def run(self) -> TrainingResult:
        """Train to the end and return what came of it."""
        progress, batch_size = self.progress, self.batches.batch_size
        saved = time.monotonic()
        started = saved - progress.elapsed_s
        with (
            progress_bar("train", total=self._last_step() * batch_size, unit="pairs") as advance,
            # Each step seeds torch's global stream; the caller finds it as it was.
            torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []),
        ):
            advance(progress.step * batch_size)
            while not self._finished():
                step_started = time.monotonic()
                if progress.step % self.config.table_refresh_steps == 0:
                    self.fill_tables()
                loss = self.step(self.batches.batch(progress.step))
                progress.step += 1
                progress.losses.append(loss)
                progress.train_s += time.monotonic() - step_started
                progress.elapsed_s = time.monotonic() - started
                self._plan()
                note = f"loss {loss:.3f} recall {max(progress.best_recall, 0):.3f}"
                advance(batch_size, note, total=self._last_step() * batch_size)
                if self._validation_is_due():
                    self._validate()
                    progress.elapsed_s = time.monotonic() - started
                if self._validation_is_due() or time.monotonic() - saved > 60 * self.config.checkpoint_minutes:
                    self._checkpoint()
                    saved = time.monotonic()
        self.model.network.load_state_dict(self.best)
        self.fill_tables()
        return self._result()

    def step(self, batch: Batch) -> float:
        """Do one step and return its loss."""
        network = self.model.network.train()
        # Drop-out draws from torch's own stream: seeding it by step makes a resumed run draw the same.
        torch.manual_seed(stream_seed(self.seed, "dropout", self.progress.step))
        loss = self._loss(batch)
        loss.backward()  # type: ignore[no-untyped-call]
        factor = schedule(self.progress.step, planned_steps=self._last_step(), warmup_share=self.config.warmup_share)
        self.optimisers.step(factor)
        network.eval()
        return float(loss.detach())

    def _loss(self, batch: Batch) -> Tensor:
        model = self.model
        query_features, product_features = self.batches.features(batch)
        with bf16_autocast(self.device, enabled=self.config.bf16):
            queries = model.network.query(query_batch(model.readable(query_features), self.device, model.tables))
            products = model.network.product(product_batch(model.readable(product_features), self.device, model.tables))
        # Outside autocast, which would round the product of float32 vectors too: by 0.1 nats at a temperature of 1/30.
        scores = queries.float() @ products.float().T
        return batch_loss(scores, batch, self.config, progress=min(1.0, self.progress.step / self._last_step()))

    def fill_tables(self) -> None:
        """Encode anew what neighbours and histories look up, with the present weights."""
        data = self.data
        if self.model.network.reads_tables and data.product_ids is not None:
            self.model.fill_tables(
                query_texts=data.pairs.queries,
                query_features=data.query_features,
                product_ids=data.product_ids,
                product_features=data.product_features,
            )

    def _total_steps(self) -> int:
        return self.config.epochs * self.batches.steps_per_epoch

    def _last_step(self) -> int:
        return self.progress.planned_steps or self._total_steps()

    def _finished(self) -> bool:
        out_of_time = self.progress.elapsed_s > 60 * self.config.max_minutes and self.progress.best_recall >= 0
        return self.progress.step >= self._last_step() or self.progress.misses >= self.config.patience or out_of_time

    def _plan(self) -> None:
        """Fix, once, how many steps fit into the time bound, so that the step size falls to its end within it.

        A tenth of the bound is left for validations. The plan is kept in the checkpoint: a resumed run keeps it.
        """
        progress = self.progress
        if progress.planned_steps or progress.step < _RATE_AFTER:
            return
        fitting = int(0.9 * 60 * self.config.max_minutes * progress.step / progress.train_s)
        progress.planned_steps = max(_RATE_AFTER, min(fitting, self._total_steps()))

    def _validation_is_due(self) -> bool:
        every = max(1, self.batches.steps_per_epoch // self.config.validations_per_epoch)
        return self.progress.step % every == 0 or self.progress.step == self._last_step()

    def _validate(self) -> None:
        progress = self.progress
        # So that what is measured is what the best weights will be saved with.
        self.fill_tables()
        recall = validation_recall(self.model, self.data, k=_validation_k(self.batches.num_products))
        loss = float(np.mean(progress.losses))
        progress.losses.clear()
        progress.history.append(
            {"step": progress.step, "elapsed_s": round(progress.elapsed_s, 2), "loss": loss, "recall": recall}
        )
        if recall > progress.best_recall:
            progress.best_recall, progress.best_step, progress.misses = recall, progress.step, 0
            self.best = {name: value.clone() for name, value in self.model.network.state_dict().items()}
        else:
            progress.misses += 1

    def _checkpoint(self) -> None:
        state = self.model.network.state_dict()
        tables = self.model.tables
        vectors = {} if tables is None else {"queries": tables.queries.vectors, "products": tables.products.vectors}
        Checkpoint(self.progress, state, self.best, self.optimisers.state_dict(), vectors).write(self.folder)

    def _resume(self) -> None:
        saved = Checkpoint.read(self.folder)
        if saved is None:
            return
        try:
            self.model.network.load_state_dict(saved.network)
            self.optimisers.load_state_dict(saved.optimisers)
        except (RuntimeError, ValueError, KeyError) as error:
            raise WorkspaceError(
                "A checkpoint must fit the model",
                received={"folder": str(self.folder), "problem": str(error).splitlines()[0]},
                remedy="Delete it; training then starts again.",
            ) from error
        self.progress, self.best = saved.progress, saved.best
        if saved.tables and self.data.product_ids is not None:
            self.model.tables = VectorTables(
                VectorTable(self.data.pairs.queries, saved.tables["queries"]),
                VectorTable(self.data.product_ids, saved.tables["products"]),
            )

    def _result(self) -> TrainingResult:
        progress, batch_size = self.progress, self.batches.batch_size
        return TrainingResult(
            recall=progress.best_recall,
            best_step=progress.best_step,
            steps=progress.step,
            pairs_s=progress.step * batch_size / progress.train_s if progress.train_s else 0.0,
            encodes_per_pair=self.batches.encodes_per_pair,
            minutes=progress.elapsed_s / 60,
            history=progress.history,
        )


def _batches(data: TrainingData, config: TrainConfig, *, seed: int) -> Batches:
    if data.log is not None:
        return LogBatchMaker(data, data.log, config, seed=seed)
    num_uniform = config.num_uniform if config.uniform_weight > 0 else 0
    return BatchMaker(data, batch_size=config.batch_size, num_uniform=num_uniform, log_q=config.log_q, seed=seed)


def _validation_k(num_products: int) -> int:
    """Return 100, or a tenth of a small catalogue: of 120 products nearly all are among the first 100 of any model."""
    return min(100, max(1, num_products // 10))
