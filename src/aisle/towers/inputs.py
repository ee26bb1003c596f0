"""What may be known of a search beside its text, and batches of tensors made of all features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from aisle.encoders import (
    HistoryBatch,
    NeighbourBatch,
    TermBatch,
    TokenBatch,
    context_batch,
    term_batch,
    token_batch,
)
from aisle.features import Features, Histories, Neighbours
from aisle.towers.vector_tables import VectorTable, VectorTables

__all__ = ["FeatureBatch", "QueryContext", "feature_batch", "product_batch", "query_batch"]


@dataclass(frozen=True, eq=False)
class QueryContext:
    """What is known of some searches, row by row; None: nothing.

    Attributes:
        locations: Where each search comes from, None where not known.
        devices: What each was typed on, None where not known.
        neighbours: Products that each query led to, as rows of the products' vector table.
        history: What each actor did before, as rows of both vector tables.
    """

    locations: Sequence[str | None] | None = None
    devices: Sequence[str | None] | None = None
    neighbours: Neighbours | None = None
    history: Histories | None = None


@dataclass(frozen=True)
class FeatureBatch:
    """Features of some queries or products, as tensors; what is off or not known at all is None."""

    terms: TermBatch | None
    tokens: TokenBatch | None
    context: Int64[Tensor, "rows slots"] | None = None
    neighbours: NeighbourBatch | None = None
    history: HistoryBatch | None = None
    pooled: Float[Tensor, "rows hidden"] | None = None


def feature_batch(features: Features, device: torch.device) -> FeatureBatch:
    """Copy features to a device, without neighbours and histories: they need vector tables."""
    return FeatureBatch(
        terms=term_batch(features.terms, device) if features.terms is not None else None,
        tokens=token_batch(features.tokens, device) if features.tokens is not None else None,
        context=context_batch(features.context, device) if features.context is not None else None,
        pooled=_tensor(features.pooled, np.float32).to(device) if features.pooled is not None else None,
    )


def query_batch(features: Features, device: torch.device, tables: VectorTables | None) -> FeatureBatch:
    """Copy features of queries to a device; without tables, neighbours and histories are not known."""
    batch = feature_batch(features, device)
    if tables is None:
        return batch
    neighbours, history = features.neighbours, features.history
    return replace(
        batch,
        neighbours=_neighbours(neighbours, tables.products, device) if neighbours is not None else None,
        history=_history(history, tables, device) if history is not None else None,
    )


def product_batch(features: Features, device: torch.device, tables: VectorTables | None) -> FeatureBatch:
    """Copy features of products to a device; without tables, neighbours are not known."""
    batch = feature_batch(features, device)
    if tables is None or features.neighbours is None:
        return batch
    return replace(batch, neighbours=_neighbours(features.neighbours, tables.queries, device))


def _neighbours(neighbours: Neighbours, table: VectorTable, device: torch.device) -> NeighbourBatch:
    index = _tensor(neighbours.index, np.int64)
    vectors, known = table.lookup(index, device)
    return NeighbourBatch(vectors, _tensor(neighbours.weight, np.float32).to(device), known, index.to(device))


def _history(history: Histories, tables: VectorTables, device: torch.device) -> HistoryBatch:
    """Look up events, cut to the longest history of the batch."""
    real = history.stage >= 0
    longest = max(1, int(np.flatnonzero(real.any(axis=0)).max(initial=-1)) + 1)
    query, query_known = tables.queries.lookup(_tensor(history.query_index[:, :longest], np.int64), device)
    product, product_known = tables.products.lookup(_tensor(history.product_index[:, :longest], np.int64), device)
    return HistoryBatch(
        query=query,
        query_known=query_known,
        product=product,
        product_known=product_known,
        stage=_tensor(np.maximum(history.stage[:, :longest], 0), np.int64).to(device),
        age_s=_tensor(history.age_s[:, :longest], np.float32).to(device),
        real=_tensor(real[:, :longest], np.bool_).to(device),
    )


def _tensor(array: np.ndarray, dtype: type[np.generic]) -> Tensor:
    return torch.from_numpy(np.require(array, dtype, requirements=["W", "C"]))
