"""A shop that changes while it is searched: versions, product changes, and what shoppers do."""

from aisle.live.building import Fill, FillApart, FillHere, VersionSource
from aisle.live.opening import ShopSource
from aisle.live.requests import Erased, LiveAnswer, LiveSearch, LiveState, Sort, VersionView, WriteResult
from aisle.live.shop import LiveSettings, LiveShop
from aisle.live.version import Version, VersionSettings

__all__ = [
    "Erased",
    "Fill",
    "FillApart",
    "FillHere",
    "LiveAnswer",
    "LiveSearch",
    "LiveSettings",
    "LiveShop",
    "LiveState",
    "ShopSource",
    "Sort",
    "Version",
    "VersionSettings",
    "VersionSource",
    "VersionView",
    "WriteResult",
]
