"""From a catalogue and its vectors to a store, and from a folder back to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int64

from aisle.core.errors import UsageError
from aisle.core.progress import Advance
from aisle.store.catalogue import StoredCatalogue
from aisle.store.config import StoreConfig, StoreKind
from aisle.store.folder import StoreFolder, lost
from aisle.store.protocol import ProductStore
from aisle.store.words import LexicalSettings

__all__ = ["build_store", "discard_store", "open_store"]

KINDS = get_args(StoreKind)
_DEFAULT_LEXICAL, _DEFAULT_CONFIG = LexicalSettings(), StoreConfig()


def build_store(
    kind: StoreKind,
    folder: Path,
    *,
    products: pa.Table,
    vectors: Float32[np.ndarray, "products dim"],
    applied_offset: int,
    product_index: Int64[np.ndarray, " products"] | None = None,
    lexical: LexicalSettings = _DEFAULT_LEXICAL,
    config: StoreConfig = _DEFAULT_CONFIG,
    progress: Advance | None = None,
) -> ProductStore:
    """Build a store of a catalogue and open it; a folder of that name is replaced when the new one is whole.

    Products whose `removed_at` has passed are left out.

    Args:
        kind: Which store.
        folder: Where its files lie; beside it is room for another of the same size.
        products: Rows of the products table.
        vectors: One per row, of about one length, made by the model that will encode the queries.
        applied_offset: Journal offset up to which `products` has all changes.
        product_index: Index of each row; the number of the row where it is None.
        lexical: How products are searched by words.
        config: Parameters of the store.
        progress: Called with numbers of products as they are written.

    Raises:
        UsageError: If the kind is unknown.
        ShapeError: If products and vectors do not fit each other, or vectors are not finite.
        WorkspaceError: If the folder cannot be written.
        ServiceError: If a cluster does not answer.
    """
    build, _ = _functions(kind)
    catalogue = StoredCatalogue.checked(products, vectors, product_index)
    build(folder, catalogue, lexical=lexical, config=config, applied_offset=applied_offset, progress=progress)
    return open_store(folder)


def open_store(folder: Path) -> ProductStore:
    """Open a store of any kind that was built.

    Raises:
        WorkspaceError: If the folder is missing or damaged, of another version, or open elsewhere, or the cluster has
            lost its products.
        ServiceError: If the cluster does not answer.
    """
    with StoreFolder.held(folder) as held:
        kind = held.kind
    if kind not in KINDS:
        raise lost(folder, f"its kind is {kind}")
    return _functions(kind)[1](folder)


def discard_store(kind: StoreKind, folder: Path) -> None:
    """Free what a store holds outside its folder, which is deleted next.

    Raises:
        ServiceError: If the cluster does not answer.
        WorkspaceError: If the store is open.
    """
    if kind == "qdrant-cluster":
        from aisle.store.cluster import discard_cluster

        discard_cluster(folder)


def _functions(kind: str) -> tuple[Callable[..., None], Callable[[Path], ProductStore]]:
    """Return what builds and what opens stores of a kind; each kind's library is imported only where it is used."""
    if kind == "qdrant-edge":
        from aisle.store.edge import open_edge
        from aisle.store.edge_build import build_edge

        return build_edge, open_edge
    if kind == "qdrant-cluster":
        from aisle.store.cluster import build_cluster, open_cluster

        return build_cluster, open_cluster
    if kind == "faiss":
        from aisle.store.snapshot import build_snapshot, open_snapshot

        return build_snapshot, open_snapshot
    raise UsageError(
        "The kind of store must be known", received={"kind": kind}, remedy=f"Choose among {', '.join(KINDS)}."
    )
