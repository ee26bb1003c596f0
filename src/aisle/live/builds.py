"""Versions that are built beside the one that is served, and what is told of all of them."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from threading import Lock, Thread
from typing import Any, Literal

from aisle.core.errors import AisleError, UsageError
from aisle.live.building import Fill
from aisle.live.loaded import LoadedVersion
from aisle.live.opening import ShopSource
from aisle.live.requests import VersionView
from aisle.live.version import Version
from aisle.live.versions import Versions

__all__ = ["Builds"]


class Builds:
    """Builds one version at a time, in a thread of its own.

    Args:
        versions: Where they go.
        source: What they are built from.
        fill: Encodes its products and builds its store.
        keep: Versions that stay beside the current one, at least 1.
    """

    def __init__(self, versions: Versions, source: ShopSource, *, fill: Fill, keep: int) -> None:
        self._versions, self._source = versions, source
        self._fill, self._keep = fill, keep
        self._lock = Lock()
        self._thread: Thread | None = None
        self._unfinished: dict[str, VersionView] = {}

    @property
    def is_building(self) -> bool:
        """Whether a version is being built."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> VersionView:
        """Begin to build a version.

        Raises:
            UsageError: If one is being built.
        """
        with self._lock:
            if self.is_building:
                raise UsageError("One version is built at a time", remedy="Wait until it is ready, or has failed.")
            version_id = self._versions.new_id()
            view = self._tell(version_id, "building")
            self._thread = Thread(target=self._run, args=(version_id,), name="aisle-build", daemon=True)
            self._thread.start()
        return view

    def wait(self) -> None:
        """Return when no version is being built."""
        if self._thread is not None:
            self._thread.join()

    def get(self, version_id: str) -> Version:
        """Return a whole version.

        Raises:
            UsageError: If there is none of this id, it is being built, or it has failed.
        """
        view = self._unfinished.get(version_id)
        if view is not None:
            raise UsageError(
                "The version must be one that was built to its end",
                received={"id": version_id, "state": view.state, **view.details},
                remedy="Wait until it is ready, or build another one.",
            )
        return self._versions.get(version_id)

    def views(self, serving: LoadedVersion) -> list[VersionView]:
        """Return all versions, the oldest first, then those that are being built or have failed since the start.

        Args:
            serving: The version that is served.
        """
        return [*(_view(version, serving) for version in self._versions.all()), *self._unfinished.values()]

    def close(self) -> None:
        """End what is being built; nothing is left of it."""
        self._fill.end()
        self.wait()

    def _run(self, version_id: str) -> None:
        try:
            self._versions.build(self._source.read(), version_id, fill=self._fill)
            self._retire(version_id)
        except Exception as error:
            self._tell(version_id, "failed", problem=str(error))
            if not isinstance(error, AisleError):
                logging.getLogger(__name__).exception("building a version")
        else:
            del self._unfinished[version_id]

    def _retire(self, version_id: str) -> None:
        """Delete the oldest versions that are neither served nor to be kept."""
        current = self._versions.current()
        others = [version.id for version in self._versions.all() if current is None or version.id != current.id]
        for name in others[: -self._keep]:
            if name != version_id:
                self._versions.remove(name)

    def _tell(self, version_id: str, state: Literal["building", "failed"], **details: Any) -> VersionView:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        view = VersionView(version_id, state, now, num_products=0, applied_offset=0, details=details)
        self._unfinished[version_id] = view
        return view


def _view(version: Version, serving: LoadedVersion) -> VersionView:
    is_current = version.id == serving.version.id
    return VersionView(
        id=version.id,
        state="current" if is_current else "ready",
        created_at=version.manifest.created_at,
        num_products=serving.store.num_products if is_current else version.num_products,
        applied_offset=serving.applied_offset if is_current else version.base_offset,
        details={"store": version.settings.store, "built_from": dict(version.content)},
    )
