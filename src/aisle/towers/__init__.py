"""The two towers: parts, channels and their fusion into one served vector per query and per product."""

from aisle.towers.config import LOG_CHANNELS, EncodeConfig, TowerConfig
from aisle.towers.fusion import ConcatFusion, PostFusion
from aisle.towers.inputs import FeatureBatch, QueryContext, feature_batch, product_batch, query_batch
from aisle.towers.network import TowerNetwork
from aisle.towers.two_tower import TwoTower
from aisle.towers.vector_tables import VectorTable, VectorTables

__all__ = [
    "LOG_CHANNELS",
    "ConcatFusion",
    "EncodeConfig",
    "FeatureBatch",
    "PostFusion",
    "QueryContext",
    "TowerConfig",
    "TowerNetwork",
    "TwoTower",
    "VectorTable",
    "VectorTables",
    "feature_batch",
    "product_batch",
    "query_batch",
]
