"""Dynamic negatives of a run: a pool for each slice, drawn from what is on sale at its snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64
from torch import Tensor

from aisle.core.rng import generator
from aisle.features import Features
from aisle.index import ExactIndex
from aisle.negatives import DynamicDraw, DynamicNegatives, DynamicPool, UniformNegatives
from aisle.towers import TwoTower
from aisle.training.batches import Mined
from aisle.training.log_batches import LogBatch, LogBatchMaker
from aisle.training.loss_config import DynamicConfig

__all__ = ["DynamicSource"]

_POOL = "pool"
_NOTHING = np.empty(0, np.int64)


class DynamicSource:
    """Draws dynamic negatives for one batch after another, from pools that grow old and are encoded anew.

    The pool of a slice is encoded when a batch of that slice comes and the pool is missing or too old. The batch's own
    query vectors, which training has just computed, are searched against it: that costs no encoding of queries.

    Args:
        model: The model in training.
        batches: What makes the batches.
        config: Sizes and bounds.
        seed: Seed of the run.
    """

    def __init__(self, model: TwoTower, batches: LogBatchMaker, config: DynamicConfig, *, seed: int) -> None:
        self._model, self._batches, self._config, self._seed = model, batches, config, seed
        self._negatives = DynamicNegatives(
            depth=config.depth,
            skip_ranks=config.skip_ranks,
            margin=config.margin,
            num_per_row=config.num_per_row,
            num_columns=config.num_columns,
        )
        self._pools: dict[int, DynamicPool] = {}
        self.encoded = 0
        """Texts encoded so far: pools, and the columns that were drawn from them."""

    def extend(
        self,
        batch: LogBatch,
        queries: Float[Tensor, "rows dim"],
        scores: Float[Tensor, "rows columns"],
        *,
        step: int,
        encode: Callable[[Features], Float[Tensor, "products dim"]],
    ) -> tuple[LogBatch, Float[Tensor, "rows more_columns"]]:
        """Draw a batch's dynamic negatives and put their scores behind the others.

        Args:
            batch: The batch.
            queries: Vector of each row's query.
            scores: Score of each row against the columns that the batch has already, its own positive's first.
            step: The current step, from 0.
            encode: Encodes products with gradients.

        Returns:
            The batch with what was drawn, and all scores.
        """
        own = torch.arange(len(queries), device=scores.device)
        drawn = self._draw(batch, queries.detach(), scores[own, own].detach(), step=step)
        columns = drawn.product_index
        self.encoded += len(columns)
        vectors = encode(self._batches.products(columns, snapshot=batch.snapshot)) if len(columns) else queries[:0]
        fresh = queries.float() @ vectors.float().T
        masked, log_weight = self._batches.positives.against(batch.positive, columns)
        masked = masked.to(scores.device) | self._negatives.masked(drawn, fresh, scores[own, own])
        return replace(batch, mined=Mined(columns, masked, log_weight)), torch.cat([scores, fresh], dim=1)

    def state_dict(self) -> dict[str, Tensor]:
        """Return all pools, from which the same negatives are drawn again."""
        state = {"encoded": torch.tensor(self.encoded)}
        for snapshot, pool in self._pools.items():
            key = f"{_POOL}.{snapshot}"
            state[f"{key}.step"] = torch.tensor(pool.step)
            state[f"{key}.products"] = torch.from_numpy(pool.product_index)
            state[f"{key}.vectors"] = torch.from_numpy(pool.vectors).half()
        return state

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Restore what `state_dict` returned."""
        self.encoded = int(state["encoded"])
        snapshots = [int(name.split(".")[1]) for name in state if name.endswith(".step")]
        self._pools = {
            snapshot: self._pool(
                state[f"{_POOL}.{snapshot}.products"].numpy(),
                state[f"{_POOL}.{snapshot}.vectors"],
                step=int(state[f"{_POOL}.{snapshot}.step"]),
            )
            for snapshot in snapshots
        }

    def _draw(
        self, batch: LogBatch, queries: Float[Tensor, "rows dim"], positive: Float[Tensor, " rows"], *, step: int
    ) -> DynamicDraw:
        pool = self._fresh_pool(batch.snapshot, step)
        if pool is None:
            return DynamicDraw(_NOTHING, torch.zeros(len(queries), 0, dtype=torch.bool))
        positives = self._batches.positives
        return self._negatives.draw(
            pool,
            queries.float().cpu().numpy(),
            positive_score=positive.float().cpu().numpy(),
            row_query=positives.group[batch.positive],
            positives=positives.known,
            rng=generator(self._seed, "dynamic", step),
        )

    def _fresh_pool(self, snapshot: int, step: int) -> DynamicPool | None:
        """Return the pool of a slice, encoded anew where it is due; None where nothing is on sale."""
        pool, on_sale = self._pools.get(snapshot), self._batches.on_sale(snapshot)
        if not len(on_sale):
            return None
        if pool is None or pool.is_due(step, every=self._config.refresh_steps):
            pool = self._pools[snapshot] = self._encoded_pool(snapshot, on_sale, step)
        return pool

    def _encoded_pool(self, snapshot: int, on_sale: Int64[np.ndarray, " on_sale"], step: int) -> DynamicPool:
        sampler = UniformNegatives(self._batches.num_products, self._config.pool_size, allowed=on_sale)
        products = np.sort(sampler.draw(generator(self._seed, _POOL, snapshot, step)))
        is_training = self._model.network.training
        vectors = self._model.encode_product_features(self._batches.products(products, snapshot=snapshot))
        self._model.network.train(is_training)
        self.encoded += len(products)
        return self._pool(products, torch.from_numpy(vectors).half(), step=step)

    @staticmethod
    def _pool(products: Int64[np.ndarray, " pool"], vectors: Float[Tensor, "pool dim"], *, step: int) -> DynamicPool:
        """Index vectors that were rounded to float16, as a checkpoint keeps them: a resumed run finds the same."""
        wide: Float32[np.ndarray, "pool dim"] = vectors.float().numpy()
        return DynamicPool.build(products, wide, step=step, build_index=ExactIndex.build)
