"""Nearest-neighbour search over vectors by inner product: exact, or approximate with a measured recall.

The layer takes arrays and knows no model, no text and no product id: a product is its row. `build_index`
builds and measures, `load_index` reads what `save` wrote.
"""

from aisle.index.build import IndexConfig, IndexReport, build_index, load_index
from aisle.index.exact import ExactIndex
from aisle.index.hnsw import HnswConfig, HnswIndex
from aisle.index.protocol import VectorIndex
from aisle.index.recall import ann_recall
from aisle.index.sealed import seal_folder, unseal_folder

__all__ = [
    "ExactIndex",
    "HnswConfig",
    "HnswIndex",
    "IndexConfig",
    "IndexReport",
    "VectorIndex",
    "ann_recall",
    "build_index",
    "load_index",
    "seal_folder",
    "unseal_folder",
]
