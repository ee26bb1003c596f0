"""What the service needs of a live shop; `aisle.live.LiveShop` is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from aisle.live import Erased, LiveAnswer, LiveSearch, LiveState, VersionView, WriteResult

__all__ = ["ShopBackend"]


class ShopBackend(Protocol):
    """A live shop, called from any thread. One searches; two write, so that they share the journal's flushes."""

    @property
    def modes(self) -> tuple[str, ...]:
        """Ways of searching, in the order in which a page shows them."""
        ...

    @property
    def default_mode(self) -> str:
        """The mode of a search that names none."""
        ...

    def search(self, request: LiveSearch) -> LiveAnswer:
        """Return at most k results.

        Raises:
            UsageError: If the query is blank, k is out of range, or mode or a facet is unknown.
        """
        ...

    def put(self, rows: Sequence[Mapping[str, Any]]) -> list[WriteResult]:
        """Put products whole; durable and found by the next search when it returns. One result per row, in order."""
        ...

    def delete(self, product_ids: Sequence[str]) -> list[WriteResult]:
        """Take products out; durable when it returns. One result per id, in order."""
        ...

    def add_events(self, rows: Sequence[Mapping[str, Any]]) -> list[WriteResult]:
        """Note what shoppers did; durable when it returns. One result per row, in order."""
        ...

    def erase_actor(self, kind: str, actor_id: str) -> Erased:
        """Erase the events of one actor for good."""
        ...

    def versions(self) -> Sequence[VersionView]:
        """Return all versions, the oldest first."""
        ...

    def build_version(self) -> VersionView:
        """Begin to build a version from the workspace's model and index; it goes on in the background.

        Raises:
            UsageError: If one is being built.
        """
        ...

    def switch_version(self, version_id: str) -> VersionView:
        """Serve another version from now on.

        Raises:
            UsageError: If there is no such version, or it cannot be served.
        """
        ...

    def state(self) -> LiveState:
        """Return how the shop is now; quick."""
        ...
