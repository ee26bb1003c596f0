"""`aisle export`: vectors, query tower and features of a trained shop in one folder, for other programs."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Float32

from aisle.boosting import with_boost
from aisle.core.config import config_from_dict
from aisle.core.errors import UsageError
from aisle.features import Neighbours
from aisle.pipelines.boosted import BOOST, boosted_index
from aisle.pipelines.boosting import stored_boost
from aisle.pipelines.catalogue import read_products, validation_queries
from aisle.pipelines.export import encode_query
from aisle.pipelines.export.engines import write_engine_recipes
from aisle.pipelines.export.readme import export_readme
from aisle.pipelines.indexing import encode_catalogue, sample_queries
from aisle.pipelines.recipe import LexicalConfig
from aisle.pipelines.searching import check_current
from aisle.pipelines.training import load_encoder, load_model
from aisle.retrieval import SearchEncoder
from aisle.retrieval.loading import HYBRID
from aisle.towers import EncodeConfig, TwoTower
from aisle.towers.exported_query import export_query_graph
from aisle.training import TrainingData
from aisle.workspace import Manifest, Workspace

__all__ = ["ExportOutcome", "export_workspace"]

_STEP = "export"


@dataclass(frozen=True)
class ExportOutcome:
    """What was written.

    Attributes:
        out: The folder.
        products: Vectors in it.
        dim: Dimensions of a vector.
        known_queries: Queries of the log that are encoded with what they led to; 0 where the model reads none.
        boosted: Whether products' vectors hold a boost.
        files: Bytes of every file, by path relative to the folder.
    """

    out: str
    products: int
    dim: int
    known_queries: int
    boosted: bool
    files: Mapping[str, int]


def export_workspace(workspace: Workspace, out: Path) -> ExportOutcome:
    """Write everything that another program needs to search as this shop does, into a folder that is new.

    Args:
        workspace: Where systems were indexed.
        out: The folder to write; it appears when it is whole.

    Raises:
        UsageError: If the folder is there already.
        WorkspaceError: If nothing was indexed, or the index or its boost is not of the present products and model.
        ModelError: If the query tower cannot be written as ONNX.
    """
    check_current(workspace)
    is_boosted = boosted_index(workspace) is not None
    with _new_folder(out) as folder:
        products, model = read_products(workspace), load_model(workspace)
        vectors = _vectors(workspace, model, products)
        _write_vectors(folder / "vectors.parquet", products, vectors)
        model_folder = workspace.folder("model")
        inputs = export_query_graph(
            model.network, model_folder, folder / "query.onnx", dim=model.embedding_dim, is_boosted=is_boosted
        )
        _write_features(model, folder / "features")
        known = _write_known_queries(workspace, model, products, folder)
        shutil.copyfile(Path(encode_query.__file__), folder / "encode_query.py")
        hybrid = json.loads((workspace.folder("index") / HYBRID).read_text(encoding="utf-8"))
        lexical = config_from_dict(LexicalConfig, workspace.manifest("index").config["lexical"])
        text = _example(workspace)
        query = text, encode_query.ExportedEncoder(folder).encode(text)
        write_engine_recipes(folder, products, vectors, query=query, hybrid=hybrid, fields=lexical.fields)
        told = export_readme(products=len(vectors), dim=vectors.shape[1], inputs=inputs, query=text, boosted=is_boosted)
        (folder / "README.md").write_text(told, encoding="utf-8")
        _write_manifest(workspace, folder, {"products": len(vectors), "dim": vectors.shape[1], "boosted": is_boosted})
    files = {path.relative_to(out).as_posix(): path.stat().st_size for path in sorted(out.rglob("*")) if path.is_file()}
    return ExportOutcome(str(out), len(vectors), vectors.shape[1], known, is_boosted, files)


@contextmanager
def _new_folder(out: Path) -> Iterator[Path]:
    """Give a folder beside the wanted one and rename it when all is in it; what fails leaves nothing behind."""
    if out.exists():
        raise UsageError(
            "The folder of an export must be new", received={"out": str(out)}, remedy="Name another, or delete it."
        )
    partial = out.with_name(f".{out.name}.partial-{os.getpid()}")
    try:
        partial.mkdir(parents=True)
    except OSError as error:
        raise UsageError(
            "The folder of an export must be writable",
            received={"out": str(out), "problem": str(error)},
            remedy="Name another.",
        ) from error
    try:
        yield partial
        partial.rename(out)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _vectors(workspace: Workspace, model: TwoTower, products: pa.Table) -> Float32[np.ndarray, "products dim"]:
    config = config_from_dict(EncodeConfig, workspace.manifest("index").config["encode"])
    vectors, _ = encode_catalogue(workspace, model, products, config)
    boost = stored_boost(workspace)
    return vectors if boost is None else with_boost(vectors, boost)


def _write_vectors(path: Path, products: pa.Table, vectors: Float32[np.ndarray, "products dim"]) -> None:
    columns = {"product_id": products.column("product_id"), "vector": _lists(vectors)}
    pq.write_table(pa.table(columns), path, compression="zstd")


def _write_features(model: TwoTower, folder: Path) -> None:
    folder.mkdir()
    model.featuriser.save(folder)
    (folder / "spec.json").write_text(json.dumps(model.featuriser.spec(), indent=1) + "\n", encoding="utf-8")


def _write_known_queries(workspace: Workspace, model: TwoTower, products: pa.Table, folder: Path) -> int:
    """Write the products that each query of the log led to, and their vectors; 0 where the model reads none."""
    graph, tables = model.network.graph, model.tables
    if graph is None or tables is None:
        return 0
    encoder: SearchEncoder = load_encoder(workspace, model, products)
    texts = tables.queries.ids
    found = encoder.neighbours_of(texts.to_pylist())
    assert found is not None
    _write_neighbours(folder / "known_queries.parquet", texts, found)
    columns = {"vector": _lists(tables.products.vectors.float().numpy())}
    learnt = graph.learnt_rows("product")
    if learnt is not None:
        rows = np.zeros((len(tables.products), learnt.shape[1]), np.float32)
        rows[: len(learnt)] = learnt.detach().numpy()[: len(rows)]
        columns["learnt"] = _lists(rows)
    pq.write_table(pa.table({"product_id": tables.products.ids, **columns}), folder / "neighbour_vectors.parquet")
    return int((found.index >= 0).any(axis=1).sum())


def _write_neighbours(path: Path, texts: pa.Array, found: Neighbours) -> None:
    is_there = found.index >= 0
    has_any = is_there.any(axis=1)
    offsets = np.concatenate([[0], np.cumsum(is_there[has_any].sum(axis=1))]).astype(np.int32)
    lists = {
        "product_row": pa.ListArray.from_arrays(offsets, found.index[has_any][is_there[has_any]]),
        "weight": pa.ListArray.from_arrays(offsets, found.weight[has_any][is_there[has_any]]),
    }
    pq.write_table(pa.table({"query": texts.filter(pa.array(has_any)), **lists}), path, compression="zstd")


def _lists(vectors: Float32[np.ndarray, "rows dim"]) -> pa.FixedSizeListArray:
    flat = pa.array(np.ascontiguousarray(vectors, np.float32).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])


def _example(workspace: Workspace) -> str:
    return sample_queries(TrainingData.read(workspace.verified("features")), validation_queries(workspace))[0]


def _write_manifest(workspace: Workspace, folder: Path, summary: dict[str, Any]) -> None:
    names = [name for name in ("products", "model", "index", BOOST) if workspace.has(name)]
    inputs = {name: workspace.manifest(name).content for name in names}
    Manifest.of_folder(folder, step=_STEP, fingerprint="", inputs=inputs, config={}, seed=0, summary=summary).write(
        folder
    )
