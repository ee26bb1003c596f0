"""A live shop: one object that serving calls, from any thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Annotated, Any

from annotated_types import Ge, Gt

from aisle.core.errors import UsageError
from aisle.live.answering import DEFAULT_MODE, MODES, answer_search, check_options
from aisle.live.building import Fill, FillHere
from aisle.live.builds import Builds
from aisle.live.cache import VectorCache
from aisle.live.forgotten import Forgotten
from aisle.live.opening import Opener, Serving, ShopSource, version_to_serve
from aisle.live.pasts import Pasts
from aisle.live.requests import Erased, LiveAnswer, LiveSearch, LiveState, VersionView, WriteResult
from aisle.live.upkeep import Upkeep
from aisle.live.versions import Versions
from aisle.live.writing import journal_deletes, journal_events, journal_products
from aisle.retrieval.engine import check_search
from aisle.store import Journal
from aisle.store.journal_records import from_micros

__all__ = ["LiveSettings", "LiveShop"]

_DAY_US = 86_400_000_000
_EVENTS_AT_ONCE = 10_000


@dataclass(frozen=True)
class LiveSettings:
    """How a live shop is run."""

    cached_vectors: Annotated[int, Ge(0)] = 10_000
    """Vectors of searches that are kept, 1 KiB each at 256 dimensions. 0: every search is encoded."""

    retention_days: Annotated[float, Gt(0)] = 90.0
    """Events older than this count no more, and leave the journal."""

    kept_versions: Annotated[int, Ge(1)] = 2
    """Versions kept beside the current one, to be switched back to: the newest ones."""

    flush_s: Annotated[float, Gt(0)] = 30.0
    """Seconds between two flushes of the store. Longer: more of the journal is applied again after a crash. Shorter:
    searches wait more often for the disk, some tens of milliseconds each time."""


def _ignore(_: str) -> None:
    """Stand in for somebody who need not be warned."""


def _now_us() -> int:
    return time.time_ns() // 1_000


class LiveShop:
    """Searches, products, events and versions of one shop.

    Every method may be called from any thread. A write is acknowledged when it is in the journal, on disk, and can be
    searched. Searches never wait for writes, nor for a version that is built or switched to.

    Args:
        folder: Holds `journal` and `versions`: a workspace.
        source: What versions are built from.
        settings: How it is run.
        fill: Builds versions while another is served; None: in this process.
        now_us: Tells the time, in microseconds since 1970.
        warn: Told what a person should know.

    Raises:
        AisleError: If there is no version and none can be built, or another process serves this folder.
    """

    def __init__(
        self,
        folder: Path,
        source: ShopSource,
        *,
        settings: LiveSettings | None = None,
        fill: Fill | None = None,
        now_us: Callable[[], int] = _now_us,
        warn: Callable[[str], None] = _ignore,
    ) -> None:
        self._settings = settings or LiveSettings()
        self._now_us = now_us
        self._journal = Journal.open(folder / "journal", clock=lambda: from_micros(now_us()))
        try:
            versions = Versions(folder / "versions", self._journal)
            pasts = Pasts(retention_us=int(self._settings.retention_days * _DAY_US))
            self._forgotten = Forgotten(folder / "versions" / "forgotten")
            self._opener = Opener(self._journal, pasts, self._forgotten, now_us)
            self._read_events(pasts)
            first = version_to_serve(versions, source, fill=FillHere(), warn=warn)
            self._serving = self._opener.open_or_mend(first, fill=FillHere())
            self._serving.loaded.follow()
        except BaseException:
            self._journal.close()
            raise
        self._pasts, self._versions = pasts, versions
        self._cache = VectorCache(self._settings.cached_vectors)
        self._writing, self._switching = Lock(), Lock()
        self._builds = Builds(versions, source, fill=fill or FillHere(), keep=self._settings.kept_versions)
        self._upkeep = Upkeep(self._flush, self._compact, every_s=self._settings.flush_s)

    @property
    def modes(self) -> tuple[str, ...]:
        """Modes that can be asked for."""
        return MODES

    @property
    def default_mode(self) -> str:
        """Mode of a search that names none."""
        return DEFAULT_MODE

    @property
    def num_products(self) -> int:
        """Products that can be found now."""
        return self._serving.loaded.store.num_products

    def search(self, request: LiveSearch) -> LiveAnswer:
        """Answer one search by the current version.

        Raises:
            UsageError: If the query is blank, or k, the mode, the order, a filter or a facet cannot be.
        """
        check_options(request)
        query_key = check_search(request.query, k=request.k, shopper=request.shopper)
        while True:
            serving = self._serving
            with serving.loaded.borrowed() as is_open:
                if is_open:
                    return self._answer(serving, request, query_key)

    def put(self, rows: Sequence[Any]) -> list[WriteResult]:
        """Add products or replace them whole, each by its `product_id`; a result per row, in their order.

        Args:
            rows: Rows of the products table, as JSON gives them.

        Raises:
            UsageError: If the store cannot be written to.
            WorkspaceError: If the journal or the store cannot be written; what was journalled then is applied later.
        """
        self._check_writable()
        results = journal_products(self._journal, rows, is_stale=self._serving.loaded.is_stale)
        self._follow(results)
        return results

    def delete(self, product_ids: Sequence[str]) -> list[WriteResult]:
        """Take products out; a result per id, in their order.

        Raises:
            UsageError: If the store cannot be written to, or an id is blank.
            WorkspaceError: As `put` does.
        """
        self._check_writable()
        loaded = self._serving.loaded
        index = loaded.ids.index_of(product_ids)
        with loaded.borrowed() as is_open:
            found = loaded.store.products(index[index >= 0]) if is_open else []
        there = {one["product_id"] for one in found if one is not None}
        results = journal_deletes(self._journal, product_ids, is_there=[name in there for name in product_ids])
        self._follow(results)
        return results

    def add_events(self, rows: Sequence[Any]) -> list[WriteResult]:
        """Note what shoppers did; it counts for their next search. A result per row, in their order.

        Args:
            rows: Events by `aisle.live.writing.LIVE_EVENTS`.

        Raises:
            WorkspaceError: If the journal cannot be written; then no event is.
        """
        results, events = journal_events(self._journal, rows, now_us=self._now_us())
        self._pasts.add(events)
        return results

    def erase_actor(self, kind: str, actor_id: str) -> Erased:
        """Forget an actor: journalled events are deleted, and what the mined log knows counts no more.

        Args:
            kind: "user", "client" or "session".
            actor_id: The id.

        Raises:
            UsageError: If there is no such kind.
            WorkspaceError: If the journal cannot be written.
        """
        num_events = self._journal.erase_actor(kind, actor_id)
        self._forgotten.add(actor_id)
        self._pasts.erase(kind, actor_id)
        self._cache.clear()
        return Erased(kind, actor_id, num_events)

    def versions(self) -> list[VersionView]:
        """Return all versions, the oldest first, then what is being built or failed since the start."""
        return self._builds.views(self._serving.loaded)

    def build_version(self) -> VersionView:
        """Begin to build a version of what the workspace holds now, beside all else; it is not switched to.

        Raises:
            UsageError: If one is being built.
        """
        return self._builds.start()

    def switch_version(self, version_id: str) -> VersionView:
        """Let another version answer, newer or older, once it has followed the journal to its head.

        Requests under way end on the version on which they began.

        Raises:
            UsageError: If the version was not built to its end.
            WorkspaceError: If one of its files, or its store, is damaged; the current version goes on.
        """
        with self._switching:
            if version_id != self._serving.loaded.version.id:
                self._switch(self._builds.get(version_id).id)
            return next(view for view in self.versions() if view.id == version_id)

    def state(self) -> LiveState:
        """Return the gauges of this moment."""
        loaded = self._serving.loaded
        created_at = datetime.fromisoformat(loaded.version.manifest.created_at)
        return LiveState(
            version=loaded.version.id,
            store=loaded.store.kind,
            num_products=loaded.store.num_products,
            version_age_s=max(0.0, (datetime.now(UTC) - created_at).total_seconds()),
            journal_head=self._journal.head,
            applied_offset=loaded.applied_offset,
            cache_hits=self._cache.hits,
            cache_misses=self._cache.misses,
            actors=len(self._pasts),
            building=self._builds.is_building,
        )

    def close(self) -> None:
        """End what is being built, write what is open to disk, and let others serve this folder; once is enough."""
        self._builds.close()
        self._upkeep.close()
        with self._switching, self._writing:
            self._serving.loaded.close()
            self._journal.close()

    def _answer(self, serving: Serving, request: LiveSearch, query_key: str) -> LiveAnswer:
        asked = serving.shoppers.search(
            request.query, request.shopper, now_us=self._now_us(), personalise=request.personalise
        )
        return answer_search(serving.loaded, request, asked, query_key=query_key, cache=self._cache)

    def _check_writable(self) -> None:
        store = self._serving.loaded.store
        if not store.is_writable:
            raise UsageError(
                "Products can be changed where the store is open for writes",
                received={"store": store.kind},
                remedy="Serve with --store qdrant-edge, or import the products and build another version.",
            )

    def _follow(self, results: Sequence[WriteResult]) -> None:
        """Let the current version follow at least to the last offset that was written."""
        last = max((one.offset for one in results if one.offset is not None), default=0)
        with self._writing:
            if self._serving.loaded.applied_offset < last:
                self._serving.loaded.follow()

    def _switch(self, version_id: str) -> None:
        following = self._opener.open(self._versions.get(version_id))
        try:
            following.loaded.follow()
            with self._writing:  # what came meanwhile; no write is acknowledged that only the old one has
                following.loaded.follow()
                following.loaded.flush()
                self._versions.make_current(version_id)
                before, self._serving = self._serving, following
        except BaseException:
            following.loaded.close()
            raise
        before.loaded.close()

    def _read_events(self, pasts: Pasts) -> None:
        after = 0
        while part := self._journal.events(after, most=_EVENTS_AT_ONCE):
            pasts.add(one.event for one in part)
            after = part[-1].offset

    def _flush(self) -> None:
        loaded = self._serving.loaded
        with loaded.borrowed() as is_open:
            if is_open:
                loaded.flush()

    def _compact(self) -> None:
        self._journal.compact(self._settings.retention_days)
