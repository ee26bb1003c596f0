"""The training loop: steps, validation, early stop, checkpoints; a resumed run ends as an unbroken one."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from aisle.core.config import config_to_dict
from aisle.core.errors import TrainingError, UsageError, WorkspaceError
from aisle.core.progress import progress_bar
from aisle.core.rng import stream_seed
from aisle.towers import TwoTower, VectorTable, VectorTables
from aisle.towers.sharing import ALONE
from aisle.training.accelerating import make_accelerator
from aisle.training.batches import Batch, Batches
from aisle.training.checkpoint import Checkpoint, Progress
from aisle.training.config import TrainConfig
from aisle.training.curves import Curves, gate_means
from aisle.training.data import TrainingData
from aisle.training.encoding import BatchEncoder
from aisle.training.not_finite import forget_bad_batch, stop_on_bad_batch
from aisle.training.optimisers import Optimisers, schedule
from aisle.training.part_stop import PartStop
from aisle.training.processes import ONE_PROCESS, Processes
from aisle.training.run_objective import Objective
from aisle.training.sizes import make_batches, num_epochs, validation_interval
from aisle.training.validation import ANY_GRADE, places_of, validation_measures

__all__ = ["Trainer", "TrainingResult", "block_means", "train"]

_RATE_AFTER = 20
"""Steps after which the rate is known well enough to plan what fits into the time bound."""

_MOST_POINTS = 200
_NO_MATTER = {"tensorboard", "checkpoint_minutes"}
"""Settings that change no weight: a run goes on under others of them."""


@dataclass(frozen=True)
class TrainingResult:
    """What a run came to.

    Attributes:
        recall: Validation recall of the weights that were kept, in 0..1: at 100, or at a tenth of a catalogue of fewer
            than 1,000 products.
        measures: `R@10`, `R@100` and `nDCG@10` of these weights.
        stop_measure: Which of them chose the weights.
        best_step: Step of the weights that were kept.
        steps: Steps done.
        planned_steps: Steps that were to be done.
        batch_size: Pairs per step.
        pairs_s: Pairs per second of the steps over all tries, validation apart.
        encodes_per_pair: Texts encoded per pair, one that stands twice in a batch counted once, pools of dynamic
            negatives included; vector tables and validations apart.
        minutes: Training time over all tries, validation included.
        history: One row per validation: step, seconds, mean loss since the one before, in all and by source, measures;
            of step 0, where training goes on from a model, no loss.
        hinge: α and b of the hinge at the best step, and the score of each stage's threshold; empty where it is off.
        loss_curve: (step, mean loss of the steps up to it), at most 200 of them, evenly.
    """

    recall: float
    measures: dict[str, float]
    stop_measure: str
    best_step: int
    steps: int
    planned_steps: int
    batch_size: int
    pairs_s: float
    encodes_per_pair: float
    minutes: float
    learning_rates: dict[str, float]
    history: list[dict[str, float]]
    hinge: dict[str, float] = field(default_factory=dict)
    loss_curve: list[tuple[int, float]] = field(default_factory=list)


def train(
    model: TwoTower,
    data: TrainingData,
    config: TrainConfig,
    *,
    folder: Path,
    seed: int,
    runs: Path | None = None,
    processes: Processes = ONE_PROCESS,
) -> TrainingResult:
    """Train a model in place, with checkpoints in `folder`; goes on from a checkpoint that lies there.

    The model ends with the weights of the best validation.

    Args:
        model: What is trained.
        data: What it is trained on.
        config: The loop's settings.
        folder: Where checkpoints lie.
        seed: Seed of the run.
        runs: Folder of TensorBoard's event files, where the settings ask for them.
        processes: This one among those that train together; each has the model in the end, the first one writes.

    Raises:
        UsageError: If there are fewer than two training pairs, no validation query that a product answers, or
            TensorBoard is asked for and not installed.
        WorkspaceError: If the checkpoint is damaged, or of another recipe, other data or another model.
        TrainingError: If a loss or a gradient is not finite, or another process ends before its time.
    """
    num_answered = int(data.validation.qrels.has_relevant(ANY_GRADE).sum())
    if len(data.pairs) < 2 or not num_answered:
        raise UsageError(
            "Training needs at least 2 pairs and 1 validation query that a product answers",
            received={"pairs": len(data.pairs), "validation_queries": num_answered},
            remedy="Import more products, or judgments with a train split and --grades.",
        )
    trainer = Trainer(model, data, config, folder=folder, seed=seed, processes=processes)
    return trainer.run(runs if config.tensorboard and processes.is_main else None)


class Trainer:
    """One run of training; see `train`."""

    def __init__(
        self,
        model: TwoTower,
        data: TrainingData,
        config: TrainConfig,
        *,
        folder: Path,
        seed: int,
        processes: Processes = ONE_PROCESS,
    ) -> None:
        self.model, self.data, self.config, self.folder, self.seed = model, data, config, folder, seed
        self.processes = processes
        self.accelerator = make_accelerator(bf16=config.bf16)
        self.device = self.accelerator.device
        model.network.to(self.device)
        self.batches: Batches = make_batches(data, config, seed=seed)
        self.objective = Objective(model, self.batches, config, seed=seed)
        self.optimisers = Optimisers(
            model.network,
            model.config,
            config,
            beside=self.objective.extra_parameters(),
            clip_norm=self.accelerator.clip_grad_norm_,
        )
        self.encoder = BatchEncoder(model, self.accelerator, processes, chunk_size=config.chunk_size)
        self.part_stop = PartStop(model.network, model.config)
        self.stop_measure = config.stop_measure or ("R@100" if data.log is None else "R@10")
        self.progress = Progress()
        self.best: dict[str, Tensor] = {}
        self.curves = Curves(None, first_step=0)
        self._resume()
        self._agree()

    def run(self, runs: Path | None = None) -> TrainingResult:
        """Train to the end and return what came of it, with curves in a folder where one is given."""
        self.curves = Curves(runs, first_step=self.progress.step)
        # All that is encoded for a validation, for vector tables or for a pool.
        self.model.sharing = self.processes
        try:
            with self.curves:
                self._train()
            self.part_stop.release()
            self.model.network.load_learnt_state(self.best)
            self.objective.take_best()
            self.fill_tables()
        finally:
            self.model.sharing = ALONE
        if self.processes.is_main:
            forget_bad_batch(self.folder)
        return self._result()

    def _train(self) -> None:
        progress, batch_size = self.progress, self.batches.batch_size
        saved = time.monotonic()
        started = saved - progress.elapsed_s
        with (
            progress_bar("train", total=self._last_step() * batch_size, unit="pairs") as advance,
            # Each step seeds torch's global stream; the caller finds it as it was.
            torch.random.fork_rng(devices=[self.device] if self.device.type == "cuda" else []),
        ):
            advance(progress.step * batch_size)
            if self.data.goes_on and progress.step == 0:
                # The model that is gone on from is kept where nothing is better.
                self._validate()
            while not self._finished():
                step_started = time.monotonic()
                if progress.step % self.config.table_refresh_steps == 0:
                    self.fill_tables()
                loss = self.step(self.batches.batch(progress.step))
                progress.step += 1
                progress.losses.append(loss)
                progress.train_s += time.monotonic() - step_started
                unsaved_s = self._read_clocks(started, saved)
                self._plan()
                note = f"loss {loss:.3f} {self.stop_measure} {max(progress.best_value, 0):.3f}"
                advance(batch_size, note, total=self._last_step() * batch_size)
                if self._validation_is_due():
                    self._validate()
                    unsaved_s = self._read_clocks(started, saved)
                if self._validation_is_due() or unsaved_s > 60 * self.config.checkpoint_minutes:
                    self._checkpoint()
                    saved = time.monotonic()

    def _read_clocks(self, started: float, saved: float) -> float:
        """Take over the first process's times, by which all decide alike; return its time since the last checkpoint."""
        progress, now = self.progress, time.monotonic()
        times = self.processes.from_main((progress.train_s, now - started, now - saved))
        progress.train_s, progress.elapsed_s, unsaved_s = times
        return unsaved_s

    def step(self, batch: Batch) -> float:
        """Do one step and return its loss.

        Raises:
            TrainingError: If loss or gradient is not finite: the batch is saved, and nothing has been learnt from it.
        """
        network = self.model.network.train()
        # Drop-out draws from torch's own stream: seeding it by step makes a resumed run draw the same.
        torch.manual_seed(stream_seed(self.seed, "dropout", self.progress.step, *self.processes.stream))
        done = min(1.0, self.progress.step / self._last_step())
        self.part_stop.freeze(done)
        query_features, product_features = self.batches.features(batch)
        # Around both, so that weights that both read are cast once.
        with self.accelerator.autocast():
            queries, products = self.encoder.queries(query_features), self.encoder.products(product_features)
        loss, parts, batch, scores = self.objective.loss(
            batch, queries, products, step=self.progress.step, progress=done, encode=self.encoder.products
        )
        value = float(loss.detach())
        if math.isfinite(value):
            self.accelerator.backward(loss)
            self.optimisers.add_up(self.processes)
        norms = self.optimisers.clip() if math.isfinite(value) else []
        factor = schedule(self.progress.step, planned_steps=self._last_step(), warmup_share=self.config.warmup_share)
        if not all(map(math.isfinite, (value, *norms))):
            rates = self.optimisers.learning_rates(factor * self.config.rate_factor)
            numbers = {"step": self.progress.step, "loss": value, "gradient_norms": norms, "learning_rates": rates}
            folder = self.folder if self.processes.is_main else None
            stop_on_bad_batch(folder, batch, scores, self.data, numbers=numbers)
        self.optimisers.step(factor * self.config.rate_factor)
        network.eval()
        self._note(value, {name: float(part) for name, part in parts.items()}, queries)
        return value

    def _note(self, loss: float, parts: Mapping[str, float], queries: Float[Tensor, "rows dim"]) -> None:
        """Remember what the sources came to until the next validation, and write the curves where they are due."""
        progress = self.progress
        for name, value in parts.items():
            total, steps = progress.sources.get(name, (0.0, 0))
            progress.sources[name] = (total + value, steps + 1)
        if not self.curves.is_due(progress.step):
            return
        rate = progress.step * self.batches.batch_size / progress.train_s if progress.train_s else 0.0
        gates = gate_means(self.model.network.fusion, queries)
        self.curves.add(
            progress.step,
            {
                "loss": loss,
                "pairs_s": rate,
                **{f"loss/{name}": value for name, value in parts.items()},
                **{f"learning_rate/{name}": value for name, value in self.optimisers.rates().items()},
                **{f"gate/{name}": value for name, value in gates.items()},
            },
        )

    def fill_tables(self) -> None:
        """Encode anew what neighbours and histories look up, with the present weights."""
        data = self.data
        if self.model.network.reads_tables and data.product_ids is not None:
            texts, features = data.logged_queries()
            self.model.fill_tables(
                query_texts=texts,
                query_features=features,
                product_ids=data.product_ids,
                product_features=data.product_features,
            )

    def _total_steps(self) -> int:
        return num_epochs(self.batches, self.config) * self.batches.steps_per_epoch

    def _last_step(self) -> int:
        return self.progress.planned_steps or self._total_steps()

    def _finished(self) -> bool:
        out_of_time = self.progress.elapsed_s > 60 * self.config.max_minutes and self.progress.best_value >= 0
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
        every = validation_interval(self.batches, self.config)
        return self.progress.step % every == 0 or self.progress.step == self._last_step()

    def _validate(self) -> None:
        progress = self.progress
        # So that what is measured is what the best weights will be saved with.
        self.fill_tables()
        num_products = self.batches.num_products
        measures = self.processes.from_main(
            validation_measures(
                self.model, self.data, shallow=places_of(10, num_products), deep=places_of(100, num_products)
            )
        )
        since = progress.history[-1]["step"] if progress.history else 0
        row = {
            "step": progress.step,
            "elapsed_s": round(progress.elapsed_s, 2),
            **({"loss": float(np.mean(progress.losses[int(since) :]))} if progress.step else {}),
            **{f"loss_{name}": total / steps for name, (total, steps) in progress.sources.items()},
            "recall": measures["R@100"],
            **measures,
        }
        progress.sources.clear()
        progress.history.append(row)
        self.curves.add(progress.step, {f"validation/{name}": value for name, value in measures.items()})
        value = measures[self.stop_measure]
        if value > progress.best_value:
            progress.best_value, progress.best_step, progress.misses = value, progress.step, 0
            self.best = {name: value.clone() for name, value in self.model.network.learnt_state().items()}
            self.objective.keep_best()
        else:
            progress.misses += 1

    def _checkpoint(self) -> None:
        if not self.processes.is_main:
            return
        state = self.model.network.learnt_state()
        tables = self.model.tables
        vectors = {} if tables is None else {"queries": tables.queries.vectors, "products": tables.products.vectors}
        recipe, objective = self._recipe(), self.objective.state_dict()
        Checkpoint(self.progress, state, self.best, self.optimisers.state_dict(), vectors, objective, recipe).write(
            self.folder
        )

    def _recipe(self) -> dict[str, Any]:
        """Return what a checkpoint must have been made with, so that its run can go on."""
        settings = config_to_dict(self.config)
        data = self.data
        return {
            "seed": self.seed,
            "train": {name: value for name, value in settings.items() if name not in _NO_MATTER},
            "towers": config_to_dict(self.model.config),
            "data": {
                "pairs": len(data.pairs),
                "products": len(data.product_features),
                "validation_queries": len(data.validation.query_features),
            },
        }

    def _resume(self) -> None:
        saved = Checkpoint.read(self.folder)
        if saved is None:
            return
        saved.check_recipe(self._recipe(), self.folder)
        try:
            self.model.network.load_learnt_state(saved.network)
            self.optimisers.load_state_dict(saved.optimisers)
            self.objective.load_state_dict(saved.objective)
        except (RuntimeError, ValueError, KeyError) as error:
            raise WorkspaceError(
                "A checkpoint must fit the model",
                received={"folder": str(self.folder), "problem": str(error).splitlines()[0]},
                remedy="Delete it; training then starts again.",
            ) from error
        self.progress, self.best = saved.progress, saved.best
        if saved.tables and self.data.product_ids is not None:
            self.model.tables = VectorTables(
                VectorTable(self.data.logged_queries()[0], saved.tables["queries"]),
                VectorTable(self.data.product_ids, saved.tables["products"]),
            )

    def _agree(self) -> None:
        """Begin with the first process's weights, from the same step."""
        step = self.processes.from_main(self.progress.step)
        if step != self.progress.step:
            raise TrainingError(
                "All processes of a training must read the same checkpoint",
                received={"folder": str(self.folder), "step": self.progress.step, "step_of_first_process": step},
                remedy="Give the workspace a folder that all machines share.",
            )
        self.processes.copy_from_main(self.model.network.learnt_state().values())

    def _result(self) -> TrainingResult:
        progress, batch_size = self.progress, self.batches.batch_size
        kept = next(row for row in progress.history if row["step"] == progress.best_step)
        return TrainingResult(
            recall=kept["recall"],
            measures={name: kept[name] for name in ("R@10", "R@100", "nDCG@10")},
            stop_measure=self.stop_measure,
            best_step=progress.best_step,
            steps=progress.step,
            planned_steps=self._last_step(),
            batch_size=batch_size,
            pairs_s=progress.step * batch_size / progress.train_s if progress.train_s else 0.0,
            encodes_per_pair=self.objective.encoded / max(1, progress.step * batch_size),
            minutes=progress.elapsed_s / 60,
            learning_rates=self.optimisers.peaks(),
            history=progress.history,
            hinge=self.objective.cut_offs,
            loss_curve=block_means(progress.losses),
        )


def block_means(losses: list[float]) -> list[tuple[int, float]]:
    """Average the losses of every so many steps, so that a page can draw them."""
    length = -(-len(losses) // _MOST_POINTS)
    starts = range(0, len(losses), max(1, length))
    blocks = [losses[start : start + length] for start in starts]
    return [(start + len(block), float(np.mean(block))) for start, block in zip(starts, blocks, strict=True)]
