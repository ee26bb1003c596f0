"""The two towers: parts, channels and their fusion into one served vector per query and per product."""

from aisle.towers.config import TowerConfig
from aisle.towers.fusion import ConcatFusion, PostFusion
from aisle.towers.network import FeatureBatch, TowerNetwork, feature_batch
from aisle.towers.two_tower import TwoTower

__all__ = [
    "ConcatFusion",
    "FeatureBatch",
    "PostFusion",
    "TowerConfig",
    "TowerNetwork",
    "TwoTower",
    "feature_batch",
]
