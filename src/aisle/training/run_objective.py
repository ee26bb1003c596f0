"""The objective of one run: the loss of a batch, with what is learnt or drawn for it beside the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from aisle.core.errors import UsageError
from aisle.features import Features
from aisle.towers import TwoTower
from aisle.towers.prefix import prefix_dims, served_prefix
from aisle.training.batches import Batch, Batches
from aisle.training.config import TrainConfig
from aisle.training.dynamic import DynamicSource
from aisle.training.hinge_scale import HingeScale
from aisle.training.log_batches import LogBatch, LogBatchMaker
from aisle.training.objective import batch_loss, source_weights

__all__ = ["Objective"]

_HINGE, _BEST_HINGE, _DYNAMIC = "hinge.", "best_hinge.", "dynamic."


class Objective:
    """The loss of one run's batches.

    Args:
        model: The model in training.
        batches: What makes the batches.
        config: Weights of everything.
        seed: Seed of the run.

    Attributes:
        hinge: α and b of the hinge, which have an optimiser of their own; None where it is off.

    Raises:
        UsageError: If something is switched on that needs searches, and pairs are learnt; or a smaller size to be
            trained leaves a part without a dimension.
    """

    def __init__(self, model: TwoTower, batches: Batches, config: TrainConfig, *, seed: int) -> None:
        is_by_search = isinstance(batches, LogBatchMaker)
        if config.by_search_only and not is_by_search:
            raise UsageError(
                "Dynamic negatives, the hinge and propensities need a log that is learnt search by search",
                received=dict(config.by_search_only),
                remedy="Mine a log and set pairs.by_search=true, or switch them off.",
            )
        self._config = config
        self._part_dims = model.network.fusion.served_dims
        for dim in config.prefix_dims:
            prefix_dims(self._part_dims, dim)
        device = next(model.network.parameters()).device
        self.hinge = HingeScale().to(device) if config.hinge_weight > 0 else None
        self._dynamic = (
            DynamicSource(model, batches, batches.config.dynamic, seed=seed)
            if isinstance(batches, LogBatchMaker) and config.dynamic_weight > 0
            else None
        )
        self._encoded = 0
        self._best_hinge: dict[str, Tensor] = {}

    def loss(
        self,
        batch: Batch,
        queries: Float[Tensor, "rows dim"],
        products: Float[Tensor, "columns dim"],
        *,
        step: int,
        progress: float,
        encode: Callable[[Features], Float[Tensor, "products dim"]],
    ) -> tuple[Float[Tensor, ""], dict[str, Float[Tensor, ""]], Batch, Float[Tensor, "rows all_columns"]]:
        """Compute the loss of a batch.

        Args:
            batch: The batch.
            queries: Vector of each row's query.
            products: Vector of each column's product.
            step: The current step, from 0.
            progress: Share of the run that is done, in 0..1.
            encode: Encodes further products with gradients.

        Returns:
            The loss; what each of its parts came to; the batch with its dynamic negatives, where some were drawn; and
            all scores.
        """
        # Outside autocast, which would round the product of float32 vectors too: by 0.1 nats at a temperature of 1/30.
        scores = queries.float() @ products.float().T
        # A text that stands in several rows or columns is encoded once.
        self._encoded += len(np.unique(batch.query_index)) + len(np.unique(batch.columns))
        whole = batch
        counts = source_weights(self._config, progress).dynamic > 0
        # Scores that are not finite go straight into the loss, so that the run stops with them.
        if self._dynamic is not None and counts and bool(scores.isfinite().all()):
            assert isinstance(batch, LogBatch)
            batch, scores = self._dynamic.extend(batch, queries, scores, step=step, encode=encode)
        loss, parts = batch_loss(scores, batch, self._config, progress=progress, hinge=self.hinge)
        for dim in self._config.prefix_dims:
            short = [served_prefix(vectors, self._part_dims, dim) for vectors in (queries, products)]
            # The full size draws the dynamic negatives; each size would else need a pool of its own.
            of_prefix, _ = batch_loss(short[0] @ short[1].T, whole, self._config, progress=progress)
            loss, parts = loss + self._config.prefix_weight * of_prefix, {**parts, f"prefix_{dim}": of_prefix.detach()}
        return loss, parts, batch, scores

    @property
    def encoded(self) -> int:
        """Texts encoded so far by steps and pools; vector tables and validations apart."""
        return self._encoded + (self._dynamic.encoded if self._dynamic is not None else 0)

    @property
    def cut_offs(self) -> dict[str, float]:
        """α and b of the hinge, and the score at which each stage's threshold lies; empty where the hinge is off."""
        if self.hinge is None:
            return {}
        thresholds = asdict(self._config.hinge.thresholds())
        cut_offs = {f"{stage}_cut_off": self.hinge.cut_off(value) for stage, value in thresholds.items()}
        return {"scale": self.hinge.scale, "shift": self.hinge.shift.item(), **cut_offs}

    def extra_parameters(self) -> list[dict[str, Any]]:
        """Return what is learnt beside the network, with its step size, as an optimiser takes it."""
        if self.hinge is None:
            return []
        return [{"params": list(self.hinge.parameters()), "lr": self._config.hinge.learning_rate, "name": "hinge"}]

    def keep_best(self) -> None:
        """Keep what is learnt beside the network as of the best validation."""
        if self.hinge is not None:
            self._best_hinge = {name: value.clone() for name, value in self.hinge.state_dict().items()}

    def take_best(self) -> None:
        """Go back to what `keep_best` kept."""
        if self.hinge is not None and self._best_hinge:
            self.hinge.load_state_dict(self._best_hinge)

    def state_dict(self) -> dict[str, Tensor]:
        """Return all that a resumed run needs to go on alike."""
        hinge = self.hinge.state_dict() if self.hinge is not None else {}
        dynamic = self._dynamic.state_dict() if self._dynamic is not None else {}
        return {
            "encoded": torch.tensor(self._encoded),
            **{_HINGE + name: value for name, value in hinge.items()},
            **{_BEST_HINGE + name: value for name, value in self._best_hinge.items()},
            **{_DYNAMIC + name: value for name, value in dynamic.items()},
        }

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            KeyError: If it is of a run with other losses.
            RuntimeError: If its hinge is not whole.
        """
        self._encoded = int(state["encoded"])
        if self.hinge is not None:
            self.hinge.load_state_dict(_under(_HINGE, state))
            self._best_hinge = _under(_BEST_HINGE, state)
        if self._dynamic is not None:
            self._dynamic.load_state_dict(_under(_DYNAMIC, state))


def _under(prefix: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
