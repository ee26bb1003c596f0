"""Encoding the rows of one batch with gradients: shared by processes, and in chunks where memory is short."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from aisle.features import Features
from aisle.towers import TwoTower, product_batch, query_batch
from aisle.training.processes import Processes

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["BatchEncoder"]

_Encode = Callable[[Features], Tensor]


class BatchEncoder:
    """Encodes queries and products of a batch.

    Several processes encode a share of the rows each and gather the vectors, of which every process has all; the
    gradient of its own rows goes back into its own encoder. Rows of one text stay together, so that it is still encoded
    once.

    In chunks, rows are first encoded without keeping what a gradient needs; the loss is computed on all vectors; then
    each chunk is encoded again, with the same drop-out, and its gradient goes back. Memory is that of one chunk and of
    the vectors, the time that of one more encoding. The gradient is that of the whole batch.

    Args:
        model: The model in training.
        accelerator: Casts dense layers.
        processes: Who shares the rows.
        chunk_size: Rows that are encoded at once; 0: all.

    Source: Gao et al. 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup" (GradCache).
    """

    def __init__(self, model: TwoTower, accelerator: Accelerator, processes: Processes, *, chunk_size: int) -> None:
        self._model, self._accelerator, self._processes = model, accelerator, processes
        self._chunk_size = chunk_size

    def queries(self, features: Features) -> Float[Tensor, "rows dim"]:
        """Encode queries."""
        return self._shared(features, self._queries)

    def products(self, features: Features) -> Float[Tensor, "rows dim"]:
        """Encode products."""
        return self._shared(features, self._products)

    def _queries(self, features: Features) -> Float[Tensor, "rows dim"]:
        model, device = self._model, self._accelerator.device
        with self._accelerator.autocast():
            return model.network.query(query_batch(model.readable(features), device, model.tables))

    def _products(self, features: Features) -> Float[Tensor, "rows dim"]:
        model, device = self._model, self._accelerator.device
        with self._accelerator.autocast():
            return model.network.product(product_batch(model.readable(features), device, model.tables))

    def _shared(self, features: Features, encode: _Encode) -> Float[Tensor, "rows dim"]:
        num_rows, processes = len(features), self._processes
        if processes.number == 1 and not 0 < self._chunk_size < num_rows:
            return encode(features)
        order = _by_text(features)
        most = -(-num_rows // processes.number)
        own = order[processes.rank * most :][:most]
        # Encoders want one row at least; where there are fewer rows than processes, what it comes to is left out.
        vectors = self._in_chunks(features.take(own if len(own) else order[:1]), encode)[: len(own)]
        if processes.number > 1:
            vectors = _Gathered.apply(vectors, processes, most)  # type: ignore[no-untyped-call]
        place = torch.from_numpy(np.argsort(order)).to(vectors.device)
        return vectors.index_select(0, place)

    def _in_chunks(self, features: Features, encode: _Encode) -> Float[Tensor, "rows dim"]:
        size = self._chunk_size or len(features)
        if size >= len(features):
            return encode(features).float()
        # The states of random streams are kept for the devices of the tensors that are given.
        anchor = torch.empty(0, device=self._accelerator.device)
        chunks = [features.take(np.arange(len(features))[start : start + size]) for start in _starts(features, size)]
        return torch.cat(
            [checkpoint(lambda _, chunk=chunk: encode(chunk).float(), anchor, use_reentrant=False) for chunk in chunks]
        )


class _Gathered(torch.autograd.Function):
    """Every process's rows; the whole loss is computed from them everywhere, so own rows have their gradient here."""

    @staticmethod
    def forward(ctx: Any, own: Tensor, processes: Processes, most: int) -> Tensor:
        ctx.own = slice(processes.rank * most, processes.rank * most + len(own))
        return processes.gather(own, most=most)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return gradient[ctx.own], None, None


def _by_text(features: Features) -> Int64[np.ndarray, " rows"]:
    """Order rows such that those of one text stand together: the transformer reads it once."""
    if features.tokens is None:
        return np.arange(len(features))
    return np.argsort(features.tokens.first_places(), kind="stable")


def _starts(features: Features, size: int) -> range:
    return range(0, len(features), size)
