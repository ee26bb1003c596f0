"""From a catalogue and its vectors to a store, and from a folder back to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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

__all__ = ["build_store", "open_store"]

KINDS = ("qdrant-edge",)
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
    """
    build, _ = _functions(kind)
    catalogue = StoredCatalogue.checked(products, vectors, product_index)
    build(folder, catalogue, lexical=lexical, config=config, applied_offset=applied_offset, progress=progress)
    return open_store(folder)


def open_store(folder: Path) -> ProductStore:
    """Open a store of any kind that was built.

    Raises:
        WorkspaceError: If the folder is missing or damaged, of another version, or open elsewhere.
    """
    with StoreFolder.held(folder) as held:
        kind = held.kind
    if kind not in KINDS:
        raise lost(folder, f"its kind is {kind}")
    return _functions(kind)[1](folder)


def _functions(kind: str) -> tuple[Callable[..., None], Callable[[Path], ProductStore]]:
    """Return what builds and what opens stores of a kind; each kind's library is imported only where it is used."""
    if kind == "qdrant-edge":
        from aisle.store.edge import QdrantEdgeStore
        from aisle.store.edge_build import build_edge

        return build_edge, QdrantEdgeStore.open
    raise UsageError(
        "The kind of store must be known", received={"kind": kind}, remedy=f"Choose among {', '.join(KINDS)}."
    )
