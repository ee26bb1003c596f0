"""Opening versions for serving: checked, loaded, and their stores built again where they are lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow.compute as pc

from aisle.core.errors import WorkspaceError
from aisle.core.ids import IdMap
from aisle.live.building import Fill, VersionSource
from aisle.live.forgotten import Forgotten
from aisle.live.loaded import LoadedVersion
from aisle.live.pasts import Pasts
from aisle.live.shoppers import LiveShoppers
from aisle.live.version import LOG, LOG_ROWS, USERS_FILE, Version
from aisle.live.versions import Versions
from aisle.mining import MinedLog
from aisle.retrieval import ActorLog, Shoppers
from aisle.store import Journal
from aisle.tables import read_parquet

__all__ = ["Opener", "Serving", "ShopSource", "version_to_serve"]


class ShopSource(Protocol):
    """Where versions come from: the workspace, as `pipelines` reads it."""

    def content(self) -> Mapping[str, str]:
        """Return the hashes of what a version would be built from now; fast.

        Raises:
            WorkspaceError: If the artefacts do not fit each other, or one is missing.
        """
        ...

    def read(self) -> VersionSource:
        """Read what a version is built from.

        Raises:
            WorkspaceError: If the artefacts do not fit each other, or a file is missing or damaged.
        """
        ...


@dataclass(frozen=True)
class Serving:
    """A version that is served, and what it knows of shoppers."""

    loaded: LoadedVersion
    shoppers: LiveShoppers


@dataclass(frozen=True)
class Opener:
    """What every version is opened with.

    Attributes:
        journal: Holds the changes since its base.
        pasts: What actors did since the log.
        forgotten: Actors whose past in the log counts no more.
        now_us: Tells the time, in microseconds since 1970.
    """

    journal: Journal
    pasts: Pasts
    forgotten: Forgotten
    now_us: Callable[[], int]

    def open(self, version: Version) -> Serving:
        """Check a version's files and load it; it follows the journal from where its store stands.

        Raises:
            WorkspaceError: If a file or the store is missing or damaged.
        """
        version.verify()
        return self._load(version)

    def open_or_mend(self, version: Version, *, fill: Fill) -> Serving:
        """Do as `open`, but build the store again where it is lost; the journal brings it up to date.

        Raises:
            WorkspaceError: If another file is missing or damaged.
        """
        version.verify()
        try:
            return self._load(version)
        except WorkspaceError:
            fill(version.folder)
            return self._load(version)

    def _load(self, version: Version) -> Serving:
        loaded = LoadedVersion(version, self.journal, now_us=self.now_us)
        try:
            return Serving(loaded, self._shoppers(loaded))
        except BaseException:
            loaded.close()
            raise

    def _shoppers(self, loaded: LoadedVersion) -> LiveShoppers:
        folder = loaded.version.folder
        log = rows = None
        if loaded.model.reads_past and (folder / LOG).is_dir():
            log = ActorLog(MinedLog(folder / LOG))
            rows = np.load(folder / LOG_ROWS, allow_pickle=False)
        return LiveShoppers(
            self.pasts,
            loaded.ids,
            places=_places(folder, reads_places=loaded.model.reads_places),
            log=log,
            log_products=rows,
            reads_past=loaded.model.reads_past,
            is_forgotten=self.forgotten.__contains__,
        )


def version_to_serve(versions: Versions, source: ShopSource, *, fill: Fill, warn: Callable[[str], None]) -> Version:
    """Return the version to start with, and make it current: another one is built where the workspace has come further.

    A workspace that has not (whoever switched back did so on purpose), or that is in the middle of a change, leaves the
    current version as it is.

    Args:
        versions: All versions.
        source: What another one would be built from.
        fill: Builds a version.
        warn: Told why the workspace was passed over.

    Raises:
        AisleError: If there is no version and none can be built.
    """
    current = versions.current()
    try:
        content = dict(source.content())
    except WorkspaceError as error:
        if current is None:
            raise
        warn(f"The workspace was passed over, and version {current.id} is served as it was. {error}")
        return current
    same = [version for version in versions.all() if dict(version.content) == content]
    if current is not None and same:
        return current
    chosen = same[-1] if same else versions.build(source.read(), versions.new_id(), fill=fill)
    versions.make_current(chosen.id)
    return chosen


def _places(folder: Path, *, reads_places: bool) -> Shoppers:
    path = folder / USERS_FILE
    if not reads_places or not path.exists():
        return Shoppers(reads_places=reads_places)
    users = read_parquet(path)
    if "location" not in users.column_names:
        return Shoppers(reads_places=True)
    known = users.filter(pc.is_valid(users["location"]))
    places = known["location"].combine_chunks()
    return Shoppers(reads_places=True, users=IdMap(known["user_id"]), places=places)
