"""User Behavior Insights (UBI): event streams become searches, impressions and events."""

from aisle.sources.ubi.config import UbiConfig
from aisle.sources.ubi.loader import load_ubi

__all__ = ["UbiConfig", "load_ubi"]
