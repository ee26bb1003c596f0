"""Nearest-neighbour search over vectors by inner product: exact, or approximate with a measured recall.

The layer takes arrays and knows no model, no text and no product id: a product is its row. `build_index`
builds and measures, `load_index` reads what `save` wrote.
"""

from aisle.index.build import IndexConfig, IndexReport, build_index, load_index
from aisle.index.exact import ExactIndex
from aisle.index.hnsw import HnswConfig, HnswIndex
from aisle.index.hnsw_pq4 import HnswPq4Config, HnswPq4Index
from aisle.index.ivf_pq4 import IvfPq4Config, IvfPq4Index
from aisle.index.protocol import VectorIndex
from aisle.index.recall import ann_recall
from aisle.index.sealed import seal_folder, unseal_folder
from aisle.index.tuning import Point, choose_point, pareto_front, try_settings

__all__ = [
    "ExactIndex",
    "HnswConfig",
    "HnswIndex",
    "HnswPq4Config",
    "HnswPq4Index",
    "IndexConfig",
    "IndexReport",
    "IvfPq4Config",
    "IvfPq4Index",
    "Point",
    "VectorIndex",
    "ann_recall",
    "build_index",
    "choose_point",
    "load_index",
    "pareto_front",
    "seal_folder",
    "try_settings",
    "unseal_folder",
]
