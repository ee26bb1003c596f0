"""What the service needs of a live shop; `aisle.live.LiveShop` is one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from aisle.live import Erased, LiveAnswer, LiveSearch, VersionView, WriteResult

__all__ = ["ShopBackend", "ShopState"]


class ShopState(Protocol):
    """How a live shop is, in numbers."""

    @property
    def version(self) -> str:
        """Id of the version that answers."""
        ...

    @property
    def version_age_s(self) -> float:
        """Seconds since that version was built."""
        ...

    @property
    def num_products(self) -> int:
        """Products that can be found."""
        ...

    @property
    def store_kind(self) -> str:
        """Kind of the product store."""
        ...

    @property
    def journal_head(self) -> int:
        """Place of the newest change in the journal."""
        ...

    @property
    def applied_offset(self) -> int:
        """Place up to which changes are in the store for good."""
        ...

    @property
    def journal_lag(self) -> int:
        """Changes of the journal that no search finds yet."""
        ...

    @property
    def cache_hits(self) -> int:
        """Searches whose query vector was known, since the start."""
        ...

    @property
    def cache_misses(self) -> int:
        """Searches whose query vector was not, since the start."""
        ...


class ShopBackend(Protocol):
    """A live shop. Searches are called by one thread at a time, writes by another, the rest by further ones."""

    @property
    def modes(self) -> tuple[str, ...]:
        """Ways of searching, in the order in which a page shows them."""
        ...

    @property
    def default_mode(self) -> str:
        """The mode of a search that names none."""
        ...

    def search(self, asked: LiveSearch) -> LiveAnswer:
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
        """Return all versions, the newest first."""
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

    def state(self) -> ShopState:
        """Return how the shop is now; quick."""
        ...
