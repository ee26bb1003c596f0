"""Building a version: what it takes is laid out in a folder, then its products are encoded and its store is built.

The second step is the long one. It needs nothing but the folder, so that a service can leave it to a process of its own
(`python -m aisle.live.building FOLDER`) and go on answering.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int64

from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.errors import AisleError, ModelError, WorkspaceError
from aisle.core.ids import UNKNOWN, IdMap
from aisle.core.progress import Advance, progress_bar
from aisle.features import Neighbours
from aisle.features.neighbours import NO_NEIGHBOUR
from aisle.index import load_index
from aisle.live.known import KnownProducts
from aisle.live.model import LiveModel
from aisle.live.version import FILLED, INDEX, LOG_ROWS, MODEL, PRODUCTS_FILE, STORE, VersionSettings
from aisle.store import JournalledChange, LexicalSettings, build_store, merge_changes
from aisle.tables import read_parquet, write_parquet

__all__ = ["ROWS", "Fill", "FillApart", "FillHere", "VersionSource", "fill_version", "lay_out"]

ROWS = "rows.npy"
"""Holds the index's row of every base product; -1 for one that the journal brought or changed."""

_PLAN = "plan.json"
_AT_ONCE = 4096
_NICE = 10


@dataclass(frozen=True, eq=False)
class VersionSource:
    """What a version is built from.

    Attributes:
        content: Hashes of the artefacts, by name: a version of the same ones need not be built again.
        files: Files that the version takes as they are, by their path in its folder.
        products: The imported catalogue, whose rows the index, boost, neighbours and the log count in.
        settings: How it is searched.
        boost: What quality adds to the score of each product of the catalogue; None: there is no boost.
        new_boost: Boost of products that the catalogue does not hold.
        squared_norm: Squared norm of the boosted vectors.
        neighbours: Queries that led to each product of the catalogue; None where the model does not read them.
    """

    content: Mapping[str, str]
    files: Mapping[str, Path]
    products: pa.Table
    settings: VersionSettings
    boost: Float32[np.ndarray, " products"] | None = None
    new_boost: float = 0.0
    squared_norm: float = 0.0
    neighbours: Neighbours | None = None


def lay_out(source: VersionSource, changes: Sequence[JournalledChange], folder: Path, *, offset: int) -> None:
    """Put into an empty folder all that `fill_version` reads; takes seconds.

    Args:
        source: What the version is built from.
        changes: What the journal holds up to the offset.
        folder: The folder.
        offset: Journal offset up to which the version's base holds every change.
    """
    for name, path in source.files.items():
        _link(path, folder / name)
    base = merge_changes(source.products, changes)
    write_parquet(base, folder / PRODUCTS_FILE)
    ids, base_ids = IdMap(source.products["product_id"]), IdMap(base["product_id"])
    row = ids.index_of(base_ids.ids)
    changed = base_ids.index_of(list({change.product_id for change in changes}))
    indexed = row.copy()
    indexed[changed[changed != UNKNOWN]] = UNKNOWN
    np.save(folder / ROWS, indexed)
    np.save(folder / LOG_ROWS, base_ids.index_of(ids.ids))
    _known(source, row).save(folder)
    plan = {"settings": config_to_dict(source.settings), "offset": offset}
    (folder / _PLAN).write_text(json.dumps(plan), encoding="utf-8")


def fill_version(folder: Path) -> None:
    """Encode the base products of a folder that was laid out, as far as the index does not hold them; build the store.

    A store that is there already is built again: from the same folder, the same store.

    Raises:
        WorkspaceError: If a file is missing or damaged.
        ModelError: If index and model are not of one width.
    """
    plan = _read_plan(folder)
    settings = config_from_dict(VersionSettings, plan["settings"])
    products = read_parquet(folder / PRODUCTS_FILE)
    model = LiveModel.load(
        folder / MODEL, known=KnownProducts.load(folder), product_ids=products["product_id"], dim=settings.dim
    )
    with progress_bar("Encoding products", total=products.num_rows, unit="products") as advance:
        vectors = _vectors(folder, model, products, advance)
    with progress_bar("Building the store", total=products.num_rows, unit="products") as advance:
        store = build_store(
            settings.store,
            folder / STORE,
            products=products,
            vectors=vectors,
            lexical=LexicalSettings(fields=settings.lexical_fields, stemmer=settings.stemmer),
            applied_offset=int(plan["offset"]),
            config=settings.store_config,
            progress=advance,
        )
    if not (folder / FILLED).exists():  # a store that is built again changes no file that was hashed
        (folder / FILLED).write_text(json.dumps({"products": store.num_products}), encoding="utf-8")
    store.close()


class Fill(Protocol):
    """Encodes the products of a version that was laid out, and builds its store."""

    def __call__(self, folder: Path) -> None:
        """Fill a folder; see `fill_version`."""
        ...

    def end(self) -> None:
        """Give up what is being filled, where that can be done."""
        ...


class FillHere:
    """Fills in this process, with a bar that shows how far it is."""

    def __call__(self, folder: Path) -> None:
        """Fill a folder; see `fill_version`."""
        fill_version(folder)

    def end(self) -> None:
        """Let it come to its end."""


class FillApart:
    """Fills in a process of its own that yields to others: what answers searches hardly feels it."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._is_ended = False

    def __call__(self, folder: Path) -> None:
        """Fill a folder; see `fill_version`.

        Raises:
            WorkspaceError: If the process does not come to its end.
        """
        threads = str(max(1, (os.cpu_count() or 1) - 1))
        settings = {**dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), threads), "OMP_WAIT_POLICY": "passive"}
        command = [sys.executable, "-m", "aisle.live.building", str(folder)]
        process = subprocess.Popen(
            command, env={**os.environ, **settings}, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        self._process = process
        if self._is_ended:
            self.end()
        _, told = process.communicate()
        if process.returncode:
            lines = told.strip().splitlines() or ["it was ended from outside, perhaps for memory"]
            raise WorkspaceError(
                "A version must be built to its end",
                received={"exit_code": process.returncode, "problem": lines[-1]},
                remedy="Mend what it says and build again; the version that is served is untouched.",
            )

    def end(self) -> None:
        """End the process, and every later one."""
        self._is_ended = True
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)  # with the processes that it has started itself


def _read_plan(folder: Path) -> dict[str, Any]:
    try:
        plan: dict[str, Any] = json.loads((folder / _PLAN).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise WorkspaceError(
            "A version must hold the plan that it is built by",
            received={"folder": str(folder), "problem": str(error)},
            remedy="Build another version.",
        ) from error
    return plan


def _vectors(
    folder: Path, model: LiveModel, products: pa.Table, advance: Advance
) -> Float32[np.ndarray, "products dim"]:
    """Take vectors out of the index where it has them as they are, and encode the others, block by block."""
    row = np.load(folder / ROWS, allow_pickle=False)
    index = load_index(folder / INDEX) if (folder / INDEX).is_dir() else None
    if index is not None and index.dim != model.dim:
        raise ModelError(
            "Index and model must be of one width",
            received={"index": index.dim, "model": model.dim},
            remedy="Run `aisle index` again.",
        )
    vectors = np.empty((products.num_rows, model.dim), np.float32)
    known = np.flatnonzero(row != UNKNOWN) if index is not None else np.empty(0, np.int64)
    new = np.setdiff1d(np.arange(products.num_rows), known)
    for places in _blocks(known):
        assert index is not None
        vectors[places] = index.vectors(row[places])
        advance(len(places))
    for places in _blocks(new):
        vectors[places] = model.encode_products(products.take(pa.array(places)), places)
        advance(len(places))
    return vectors


def _blocks(places: Int64[np.ndarray, " places"]) -> Iterator[Int64[np.ndarray, " block"]]:
    for start in range(0, len(places), _AT_ONCE):
        yield places[start : start + _AT_ONCE]


def _known(source: VersionSource, row: Int64[np.ndarray, " base"]) -> KnownProducts:
    """Bring what is known of the catalogue's products into the order of the base."""
    is_known = row != UNKNOWN
    at = np.where(is_known, row, 0)
    boost = neighbours = None
    if source.boost is not None:
        boost = np.where(is_known, source.boost[at], np.float32(source.new_boost)).astype(np.float32)
    if source.neighbours is not None:
        found = source.neighbours.take(at)
        index = np.where(is_known[:, None], found.index, NO_NEIGHBOUR)
        neighbours = Neighbours(index, np.where(is_known[:, None], found.weight, np.float32(0)))
    return KnownProducts(boost, source.new_boost, source.squared_norm, neighbours)


def _link(path: Path, place: Path) -> None:
    """Give a file a second name, which stays when the first one goes; copy it where the disk cannot do that."""
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(path, place)
    except OSError:
        shutil.copyfile(path, place)


def _main() -> None:
    os.nice(_NICE)
    try:
        fill_version(Path(sys.argv[1]))
    except AisleError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    _main()
