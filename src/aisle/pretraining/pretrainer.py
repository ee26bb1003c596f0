"""The loop of pre-training: steps, held-out measures, early stop, checkpoints; resumed runs end as unbroken ones."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from aisle.core.config import config_to_dict
from aisle.core.errors import TrainingError, WorkspaceError
from aisle.core.progress import progress_bar
from aisle.core.rng import generator, stream_seed
from aisle.pretraining.config import PretrainConfig
from aisle.pretraining.data import Draw, PretrainData
from aisle.pretraining.measuring import MEASURES, held_out_measures
from aisle.pretraining.network import PretrainNetwork
from aisle.training.accelerating import make_accelerator
from aisle.training.checkpoint import Checkpoint, Progress
from aisle.training.optimisers import schedule
from aisle.training.trainer import block_means

__all__ = ["PretrainResult", "Pretrainer"]

_RATE_AFTER = 20
"""Steps after which the rate is known well enough to plan what fits into the time bound."""

_NO_MATTER = {"checkpoint_minutes"}


@dataclass(frozen=True)
class PretrainResult:
    """What a pre-training came to.

    Attributes:
        measures: Held-out measures of the weights that were kept, by name; see `MEASURES`.
        best_step: Step of these weights; 0 where no step made them better.
        steps: Steps done.
        planned_steps: Steps that were to be done.
        texts_s: Texts per second through the encoder, validation apart.
        minutes: Time over all tries, validation included.
        history: One row per validation, the first before any step: step, seconds, losses by objective since the one
            before, measures.
        loss_curve: (step, mean loss of the steps up to it), at most 200 of them, evenly.
    """

    measures: dict[str, float]
    best_step: int
    steps: int
    planned_steps: int
    texts_s: float
    minutes: float
    history: list[dict[str, float]]
    loss_curve: list[tuple[int, float]] = field(default_factory=list)


class Pretrainer:
    """One run of pre-training, with checkpoints in a folder; goes on from one that lies there.

    All objectives that are on are learnt in every step, each on rows of its own. The network ends with the weights of
    the best validation: that of the highest mean of the measures of all objectives that are on.

    Args:
        network: What is trained, in place.
        data: What it is trained on.
        config: Settings.
        folder: Where checkpoints lie.
        seed: Seed of the run.
        inputs: Hashes of what was read, which a checkpoint must share.

    Raises:
        WorkspaceError: If the checkpoint is damaged, or of another recipe, other data or another tokenizer.
    """

    def __init__(
        self,
        network: PretrainNetwork,
        data: PretrainData,
        config: PretrainConfig,
        *,
        folder: Path,
        seed: int,
        inputs: dict[str, str],
    ) -> None:
        self.network, self.data, self.config = network, data, config
        self.folder, self.seed, self.inputs = folder, seed, inputs
        self.accelerator = make_accelerator(bf16=config.bf16)
        network.to(self.accelerator.device)
        self.optimiser = _optimiser(network, config)
        self._peaks = [group["lr"] for group in self.optimiser.param_groups]
        self.draws = _draws(data, config, seed=seed)
        self.progress = Progress()
        self.best: dict[str, Tensor] = {}
        self._resume()

    def run(self) -> PretrainResult:
        """Train to the end and return what came of it.

        Raises:
            TrainingError: If a loss or a gradient is not finite.
        """
        progress = self.progress
        saved = time.monotonic()
        started = saved - progress.elapsed_s
        device = self.network.device
        with (
            progress_bar("pretrain", total=self._last_step(), unit="steps") as advance,
            # Each step seeds torch's global stream; the caller finds it as it was.
            torch.random.fork_rng(devices=[device] if device.type == "cuda" else []),
        ):
            advance(progress.step)
            if not progress.history:
                self._validate()
            while not self._finished():
                step_started = time.monotonic()
                progress.losses.append(self.step())
                progress.step += 1
                progress.train_s += time.monotonic() - step_started
                progress.elapsed_s = time.monotonic() - started
                self._plan()
                note = f"loss {progress.losses[-1]:.3f} held out {progress.best_value:.3f}"
                advance(1, note, total=self._last_step())
                if is_due := self._validation_is_due():
                    self._validate()
                    progress.elapsed_s = time.monotonic() - started
                if is_due or time.monotonic() - saved > 60 * self.config.checkpoint_minutes:
                    self._checkpoint()
                    saved = time.monotonic()
        self.network.load_state_dict(self.best)
        return self._result()

    def step(self) -> float:
        """Do one step and return its loss.

        Raises:
            TrainingError: If the loss or a gradient is not finite; nothing has been learnt from the step.
        """
        step = self.progress.step
        self.network.train()
        # Drop-out draws from torch's own stream: seeding it by step makes a resumed run draw the same.
        torch.manual_seed(stream_seed(self.seed, "dropout", step))
        with self.accelerator.autocast():
            losses = {name: self._losses()[name](draw.at(step)) for name, draw in self.draws.items()}
        loss = torch.stack([self.config.weights[name] * value for name, value in losses.items()]).sum()
        values = {name: float(value.detach()) for name, value in losses.items()}
        norm = math.nan
        if all(map(math.isfinite, values.values())):
            self.accelerator.backward(loss)
            norm = float(self.accelerator.clip_grad_norm_(self.network.parameters(), self.config.gradient_clip))
        if not math.isfinite(norm):
            raise TrainingError(
                "Loss and gradient of every step must be finite",
                received={"step": step, "losses": values, "gradient_norm": norm},
                remedy="Lower pretrain.learning_rate or set pretrain.bf16=false, which starts pre-training again.",
            )
        factor = schedule(step, planned_steps=self._last_step(), warmup_share=self.config.warmup_share)
        for group, peak in zip(self.optimiser.param_groups, self._peaks, strict=True):
            group["lr"] = peak * factor
        self.optimiser.step()
        self.optimiser.zero_grad(set_to_none=True)
        for name, value in values.items():
            total, steps = self.progress.sources.get(name, (0.0, 0))
            self.progress.sources[name] = (total + value, steps + 1)
        return float(loss.detach())

    def _losses(self) -> dict[str, Callable[[np.ndarray], Float[Tensor, ""]]]:
        return {"masked": self._masked, "contrastive": self._contrastive, "sequence": self._sequence}

    def _masked(self, rows: np.ndarray) -> Float[Tensor, ""]:
        rng = generator(self.seed, "mask", self.progress.step)
        texts, share = self.data.texts.take(rows), self.config.mask_share
        guessed = self.network.guess_hidden(texts, self.data, share=share, rng=rng)
        # A batch of a few short texts may have no hidden token.
        return guessed.loss.sum() / max(1, len(guessed.loss))

    def _contrastive(self, rows: np.ndarray) -> Float[Tensor, ""]:
        pairs = self.data.pairs
        loss = self.network.contrastive_loss(pairs, self.data.products, rows, temperature=self.config.temperature)
        return _weighted_mean(loss, pairs.weight[rows])

    def _sequence(self, rows: np.ndarray) -> Float[Tensor, ""]:
        found = self.data.purchases
        queries = found.queries.take(found.query_index[rows])
        guessed, followed = self.network.write_queries(queries, self.data.products.take(found.product_index[rows]))
        weight = np.broadcast_to(found.weight[rows][:, None], followed.shape)[followed.cpu().numpy()]
        return _weighted_mean(guessed.loss, weight)

    def _last_step(self) -> int:
        return self.progress.planned_steps or self.config.max_steps

    def _finished(self) -> bool:
        progress = self.progress
        is_late = progress.elapsed_s > 60 * self.config.max_minutes
        return progress.step >= self._last_step() or progress.misses >= self.config.patience or is_late

    def _plan(self) -> None:
        """Fix, once, how many steps fit into the time bound, so that the step size falls to its end within it.

        A tenth of the bound is left for validations. The plan is kept in the checkpoint: a resumed run keeps it.
        """
        progress = self.progress
        if progress.planned_steps or progress.step < _RATE_AFTER:
            return
        fitting = int(0.9 * 60 * self.config.max_minutes * progress.step / progress.train_s)
        progress.planned_steps = max(_RATE_AFTER, min(fitting, self.config.max_steps))

    def _validation_is_due(self) -> bool:
        return self.progress.step % self.config.validation_steps == 0 or self.progress.step == self._last_step()

    def _validate(self) -> None:
        progress = self.progress
        with self.accelerator.autocast():
            measures = held_out_measures(self.network, self.data, self.config, seed=self.seed)
        losses = {f"loss_{name}": total / steps for name, (total, steps) in progress.sources.items()}
        progress.sources.clear()
        row = {"step": progress.step, "elapsed_s": round(progress.elapsed_s, 2), **losses, **measures}
        progress.history.append(row)
        value = float(np.mean(list(measures.values())))
        if value > progress.best_value:
            progress.best_value, progress.best_step, progress.misses = value, progress.step, 0
            self.best = {name: weight.clone() for name, weight in self.network.state_dict().items()}
        else:
            progress.misses += 1

    def _checkpoint(self) -> None:
        weights, optimiser = self.network.state_dict(), self.optimiser.state_dict()
        Checkpoint(self.progress, weights, self.best, [optimiser], recipe=self._recipe()).write(self.folder)

    def _recipe(self) -> dict[str, Any]:
        """Return what a checkpoint must have been made with, so that its run can go on."""
        settings = config_to_dict(self.config)
        return {
            "seed": self.seed,
            "pretrain": {name: value for name, value in settings.items() if name not in _NO_MATTER},
            "inputs": self.inputs,
        }

    def _resume(self) -> None:
        saved = Checkpoint.read(self.folder)
        if saved is None:
            return
        saved.check_recipe(self._recipe(), self.folder)
        try:
            self.network.load_state_dict(saved.network)
            [optimiser] = saved.optimisers
            self.optimiser.load_state_dict(optimiser)
        except (RuntimeError, ValueError, KeyError) as error:
            raise WorkspaceError(
                "A checkpoint must be of the same network",
                received={"folder": str(self.folder), "problem": str(error).partition("\n")[0]},
                remedy="Delete it; pre-training then starts again.",
            ) from error
        self.progress, self.best = saved.progress, saved.best

    def _result(self) -> PretrainResult:
        progress = self.progress
        best = next(row for row in progress.history if row["step"] == progress.best_step)
        # A pair and a purchase are two texts each.
        texts = sum(draw.size * (1 if name == "masked" else 2) for name, draw in self.draws.items())
        return PretrainResult(
            measures={name: best[name] for name in MEASURES.values() if name in best},
            best_step=progress.best_step,
            steps=progress.step,
            planned_steps=self._last_step(),
            texts_s=progress.step * texts / progress.train_s if progress.train_s else 0.0,
            minutes=progress.elapsed_s / 60,
            history=progress.history,
            loss_curve=block_means(progress.losses),
        )


def _draws(data: PretrainData, config: PretrainConfig, *, seed: int) -> dict[str, Draw]:
    rows = {
        "masked": data.text_split.trained,
        "contrastive": data.pairs.split.trained,
        "sequence": data.purchases.split.trained,
    }
    return {
        name: Draw(rows[name], batch_size=config.batch_size, seed=seed, name=name)
        for name, weight in config.weights.items()
        if weight
    }


def _optimiser(network: PretrainNetwork, config: PretrainConfig) -> torch.optim.AdamW:
    """Decay matrices, not biases, norms, embeddings and positions; heads have a step size of their own."""
    transformer = network.transformer
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    kept = {id(parameter) for parameter in transformer.parameters()}
    for name, parameter in network.named_parameters():
        if name.startswith("encoder.projection"):
            continue
        rate = config.resolved_learning_rate if id(parameter) in kept else config.head_learning_rate
        is_matrix = parameter.ndim > 1 and "embedding" not in name and "position" not in name
        groups.setdefault((rate, config.weight_decay if is_matrix else 0.0), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": group, "lr": rate, "weight_decay": decay} for (rate, decay), group in groups.items()], fused=True
    )


def _weighted_mean(losses: Float[Tensor, " rows"], weight: np.ndarray) -> Float[Tensor, ""]:
    weights = torch.from_numpy(np.ascontiguousarray(weight, np.float32)).to(losses.device)
    return (losses * weights).sum() / weights.sum()
