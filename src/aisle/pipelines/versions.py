"""What a live shop's versions are built from: the artefacts of a workspace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from aisle.boosting.features import NEUTRAL
from aisle.core.config import config_from_dict, config_to_dict
from aisle.features import Neighbours
from aisle.index import load_index
from aisle.live import VersionSettings, VersionSource
from aisle.live.version import INDEX, LOG, MODEL, USERS_FILE, WORDS
from aisle.pipelines.boosted import BOOST, boosted_index, has_boost
from aisle.pipelines.boosting import stored_boost
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.mining import load_mined
from aisle.pipelines.searching import check_current
from aisle.retrieval.loading import GATE, SPELLING
from aisle.store import StoreConfig, StoreKind
from aisle.towers import TowerConfig
from aisle.training.log_data import LogData
from aisle.workspace import CARD, Workspace, fingerprint

__all__ = ["WorkspaceSource"]

_LOG_FILES = ("histories.parquet", "actors.parquet", "queries.parquet")


class WorkspaceSource:
    """Versions of a workspace's present catalogue, model, index and boost; see `aisle.live.ShopSource`.

    Args:
        workspace: Where systems were indexed.
        store: Kind of the product store.
        config: How the store is built and searched.
    """

    def __init__(
        self, workspace: Workspace, *, store: StoreKind = "qdrant-edge", config: StoreConfig | None = None
    ) -> None:
        self._workspace, self._store, self._config = workspace, store, config or StoreConfig()

    def content(self) -> Mapping[str, str]:
        """Return the hashes of what a version would be built from now.

        Raises:
            WorkspaceError: If nothing was indexed, or the artefacts are not of each other.
        """
        workspace = self._workspace
        check_current(workspace)
        names = ["products", "model", "index", *(["mined"] if self._reads_log() else [])]
        names += ["users"] if self._reads_places() else []
        content = {name: workspace.manifest(name).content for name in names}
        if has_boost(workspace):
            content[BOOST] = workspace.manifest(BOOST).content
        return {**content, "settings": fingerprint(config_to_dict(self._settings()))}

    def read(self) -> VersionSource:
        """Read what a version is built from, every file checked.

        Raises:
            WorkspaceError: As `content`, or if a file is missing or not as it was written.
        """
        workspace, content = self._workspace, self.content()
        boosted, index = boosted_index(workspace), workspace.verified("index")
        semantic = boosted or index / "semantic"
        files = _files(workspace.verified("model"), MODEL) | _files(semantic, INDEX)
        for name in (SPELLING, GATE):
            files |= _files(index / name, f"{WORDS}/{name}")
        if self._reads_log():
            load_mined(workspace)  # refuses a log that was not mined from the present products
            files |= {f"{LOG}/{name}": workspace.folder("mined") / name for name in _LOG_FILES}
        if self._reads_places():
            files[USERS_FILE] = workspace.verified("users") / "users.parquet"
        return VersionSource(
            content=content,
            files=files,
            products=read_products(workspace),
            settings=self._settings(),
            boost=stored_boost(workspace),
            new_boost=self._new_boost(),
            squared_norm=_squared_norm(boosted) if boosted is not None else 0.0,
            neighbours=self._neighbours(),
        )

    def _settings(self) -> VersionSettings:
        index = self._workspace.manifest("index")
        hybrid = json.loads((self._workspace.folder("index") / "hybrid.json").read_text(encoding="utf-8"))
        return VersionSettings(
            store=self._store,
            store_config=self._config,
            lexical_fields=tuple(index.config["lexical"]["fields"]),
            stemmer=index.config["lexical"]["stemmer"],
            semantic_weight=hybrid["semantic_weight"],
            fusion=hybrid["fusion"],
            depth=hybrid["depth"],
            dim=index.config["encode"].get("dim"),  # an index of an older version names none
        )

    def _towers(self) -> TowerConfig:
        return config_from_dict(TowerConfig, self._workspace.manifest("model").config["towers"])

    def _reads_log(self) -> bool:
        return bool(self._towers().history.enabled) and self._workspace.has("mined")

    def _reads_places(self) -> bool:
        return bool(self._towers().context.enabled) and self._workspace.has("users")

    def _new_boost(self) -> float:
        """Return the boost of a product of which nothing is known: that of the middle of every feature."""
        if not has_boost(self._workspace):
            return 0.0
        found = self._workspace.manifest(BOOST).summary
        limit = float(found["limit"])
        return float(np.clip(NEUTRAL * sum(found["weights"].values()), -limit, limit))

    def _neighbours(self) -> Neighbours | None:
        """Return the queries that led to each product, where the index was made with them."""
        features, model = self._workspace.manifest("features"), self._workspace.manifest("model")
        is_of_products = features.inputs["products"] == self._workspace.manifest("products").content
        if not (self._towers().graph.enabled and is_of_products and features.content == model.inputs["features"]):
            return None
        log = LogData.read(self._workspace.verified("features") / "log")
        if log is None:
            return None
        edges = log.product_neighbours[log.last_snapshot - 1]
        rows = np.arange(len(edges.offsets) - 1)
        return Neighbours.from_edges(edges.offsets, edges.index, edges.weight, rows=rows, most=log.limits.neighbours)


def _files(folder: Path, name: str) -> dict[str, Path]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != CARD)
    return {f"{name}/{path.relative_to(folder).as_posix()}": path for path in paths}


def _squared_norm(boosted: Path) -> float:
    index = load_index(boosted)
    vector = index.vectors(np.zeros(min(1, index.num_products), np.int64))
    return float(np.einsum("pd,pd->", vector, vector))
