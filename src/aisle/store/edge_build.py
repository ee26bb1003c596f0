"""Building a store in Qdrant Edge, in a process of its own.

The engine holds Python's lock through every call, also through the minutes in which it builds a graph: in a process
that serves, all requests would wait for it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.errors import WorkspaceError
from aisle.core.progress import Advance
from aisle.store.catalogue import StoredCatalogue
from aisle.store.config import StoreConfig
from aisle.store.edge import KIND, EdgeEngine
from aisle.store.folder import StoreFolder, write_whole
from aisle.store.kept_fields import FieldsWriter
from aisle.store.qdrant_build import Filling
from aisle.store.words import LexicalSettings

__all__ = ["build_edge", "build_in_this_process"]

_FEW = 2_000
"""Up to so many products are built in this process: starting another takes longer than they do."""

_INPUT = "input"
_NICENESS = 5
_CALL = "import sys, pathlib, aisle.store.edge_build as build; build.build_in_this_process(pathlib.Path(sys.argv[1]))"
_COMMAND = (sys.executable, "-c", _CALL)


def build_edge(
    path: Path,
    catalogue: StoredCatalogue,
    *,
    lexical: LexicalSettings,
    config: StoreConfig,
    applied_offset: int,
    progress: Advance | None = None,
) -> None:
    """Build a store in a folder; what stands there is replaced when the new one is whole.

    Args:
        path: The folder.
        catalogue: What it shall hold.
        lexical: How products are searched by words.
        config: Parameters of the store.
        applied_offset: Journal offset up to which the catalogue has all changes.
        progress: Called as products are written; the graph comes after the last of them.
    """
    settings = {
        "lexical": config_to_dict(lexical),
        "config": config_to_dict(config),
        "applied_offset": applied_offset,
    }

    def write(folder: StoreFolder) -> None:
        steps = (
            _build(folder, catalogue, settings) if len(catalogue) <= _FEW else _elsewhere(folder, catalogue, settings)
        )
        for num_done in steps:
            if progress is not None:
                progress(num_done)

    write_whole(path, write)


def _build(folder: StoreFolder, catalogue: StoredCatalogue, settings: dict[str, Any]) -> Iterator[int]:
    """Write everything into the folder and seal it; yields numbers of products written."""
    config = config_from_dict(StoreConfig, settings["config"])
    filling = Filling(catalogue, config_from_dict(LexicalSettings, settings["lexical"]), config)
    engine = EdgeEngine.create(folder.data, config, dim=catalogue.dim)
    fields = FieldsWriter(folder.data)
    yield from filling.fill(engine, fields=fields)
    fields.close()
    engine.index_fields(filling.schema)
    engine.optimise()
    engine.flush()
    engine.close()
    folder.describe(KIND, filling.values)
    folder.note_state(settings["applied_offset"], num_waiting=0)
    folder.seal()


def _elsewhere(folder: StoreFolder, catalogue: StoredCatalogue, settings: dict[str, Any]) -> Iterator[int]:
    """Do the same in another process, which reads the catalogue from files."""
    inputs = folder.path / _INPUT
    inputs.mkdir()
    np.save(inputs / "vectors.npy", catalogue.vectors)
    np.save(inputs / "product_index.npy", catalogue.product_index)
    with (
        pa.OSFile(str(inputs / "products.arrow"), "wb") as file,
        pa.ipc.new_file(file, catalogue.products.schema) as out,
    ):
        out.write_table(catalogue.products)
    (inputs / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    folder.release()
    with (inputs / "errors.txt").open("w+", encoding="utf-8") as errors:
        with subprocess.Popen([*_COMMAND, str(folder.path)], stdout=subprocess.PIPE, stderr=errors, text=True) as child:
            yield from map(int, child.stdout or ())
        errors.seek(0)
        problem = errors.read()
    if child.returncode:
        raise WorkspaceError(
            "A store must be built to its end",
            received={"folder": str(folder.path), "problem": problem.strip().rpartition("\n")[2] or child.returncode},
            remedy="Look for disk space and memory, then build it again.",
        )
    shutil.rmtree(inputs)


def build_in_this_process(path: Path) -> None:
    """Build from the input files that lie in the folder; what the other process is started for."""
    os.nice(_NICENESS)  # searches that are served meanwhile come first
    inputs = path / _INPUT
    catalogue = StoredCatalogue(
        np.load(inputs / "product_index.npy"),
        pa.ipc.open_file(pa.memory_map(str(inputs / "products.arrow"))).read_all(),
        np.load(inputs / "vectors.npy", mmap_mode="r"),
    )
    settings = json.loads((inputs / "settings.json").read_text(encoding="utf-8"))
    with StoreFolder.held(path) as folder:
        for num_done in _build(folder, catalogue, settings):
            sys.stdout.write(f"{num_done}\n")
            sys.stdout.flush()
