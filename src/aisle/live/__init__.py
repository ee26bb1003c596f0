"""A shop that changes while it is searched: versions, product changes, and what shoppers do."""

from aisle.live.requests import Erased, LiveAnswer, LiveSearch, Sort, VersionView, WriteResult

__all__ = ["Erased", "LiveAnswer", "LiveSearch", "Sort", "VersionView", "WriteResult"]
