"""One run of an ablation: train or load, index and measure, in a small workspace of its own."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aisle.core.ranking import Retriever
from aisle.experiments import SentencePeer
from aisle.features import product_text
from aisle.index import ExactIndex
from aisle.pipelines.ablation_plan import RUNS_FOLDER, TABLES, Measuring, Run
from aisle.pipelines.ablation_shared import SHARED, link_features, linked_workspace
from aisle.pipelines.boosted import BOOST
from aisle.pipelines.boosting import BoostConfig, boost_workspace, take_boost_away
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.checkpoints import PRETRAINED
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.measured_sets import MeasuredOn, measured_sets, values_per_query
from aisle.pipelines.searching import load_retrievers
from aisle.pipelines.training import train_model
from aisle.retrieval import LexicalRetriever, SemanticRetriever
from aisle.training import TrainingData
from aisle.workspace import Workspace

__all__ = ["RunTask", "clear_run", "is_done", "make_run", "read_values"]

_TRAINED = ("minutes", "steps", "best_step", "pairs_s", "encodes_per_pair", "validation_recall")
_HEAVY = ("model", "index", BOOST, *SHARED, *TABLES, PRETRAINED, "runs", ".partial")
"""What a run's folder does not keep once it is measured; most are links."""


@dataclass(frozen=True)
class RunTask:
    """A run to be made.

    Attributes:
        workspace: Folder of the shop's workspace.
        run: What to make and measure.
        measured_on: What to measure on.
        keep_models: Whether model and index are kept.
    """

    workspace: Path
    run: Run
    measured_on: MeasuredOn
    keep_models: bool


def make_run(task: RunTask) -> None:
    """Train, index and measure, as far as it was not done; a training that was killed goes on.

    The figures of a measuring hold `cpu_minutes`: what the process computed for it, user and system, all threads; the
    first one's hold the training.
    """
    folder = task.run.folder(task.workspace)
    workspace = linked_workspace(task.workspace, folder)
    if task.run.features is not None:
        link_features(task.workspace, task.run.features, workspace)
    cpu_s = time.process_time()
    with _systems(task, workspace) as load:
        for measuring in task.run.measurings:
            if not workspace.has(measuring.artefact):
                retriever, figures = load(measuring)
                _measure(task, workspace, measuring, retriever=retriever, figures=figures, cpu_s=cpu_s)
                cpu_s = time.process_time()
    if not task.keep_models:
        clear_run(folder)


def is_done(workspace: Path, run: Run) -> bool:
    """Tell whether all of a run was measured."""
    folder = run.folder(workspace)
    if not folder.exists():
        return False
    kept = Workspace.open(folder, create=True)
    return all(kept.has(measuring.artefact) for measuring in run.measurings)


def clear_run(folder: Path) -> None:
    """Remove all but what was measured."""
    for name in _HEAVY:
        path = folder / name
        if path.is_symlink():
            path.unlink()
        elif path.exists():
            shutil.rmtree(path)


def read_values(workspace: Path, key: str, artefact: str) -> tuple[dict[str, dict[str, np.ndarray]], dict[str, Any]]:
    """Return labels → measure → value of every search, and the figures of the training."""
    kept = Workspace.open(workspace / RUNS_FOLDER / key)
    values: dict[str, dict[str, np.ndarray]] = {}
    with np.load(kept.verified(artefact) / "values.npz", allow_pickle=False) as arrays:
        for name in arrays.files:
            labels, _, measure = name.partition("/")
            values.setdefault(labels, {})[measure] = arrays[name]
    return values, dict(kept.manifest(artefact).summary)


Load = Callable[[Measuring], tuple[Retriever, dict[str, Any]]]


@contextmanager
def _systems(task: RunTask, workspace: Workspace) -> Iterator[Load]:
    """Yield what makes the system of a measuring; what all measurings share is made once."""
    run = task.run
    if run.kind == "model":
        yield _trained(workspace, run)
    elif run.kind == "lexical":
        settings = run.recipe.lexical
        products = read_products(workspace)
        yield lambda _: (LexicalRetriever.build(products, fields=settings.fields, stemmer=settings.stemmer), {})
    else:
        yield _peer(workspace, run)


def _trained(workspace: Workspace, run: Run) -> Load:
    trained: Mapping[str, Any] = train_model(workspace, run.recipe).manifest.summary

    def load(measuring: Measuring) -> tuple[Retriever, dict[str, Any]]:
        index = build_indexes(workspace, measuring.recipe).manifest.summary["index"]
        boosted = _boosted(workspace, wanted=measuring.boost)
        (retriever,) = load_retrievers(workspace, [measuring.system]).values()
        figures = {name: trained[name] for name in _TRAINED if name in trained}
        return retriever, {**figures, "index": index["kind"], "ann_recall": index["ann_recall"], **boosted}

    return load


def _boosted(workspace: Workspace, *, wanted: bool) -> dict[str, Any]:
    """Look for a boost where it is wanted, take that of another measuring away where it is not."""
    if wanted:
        return {"boost_kept": boost_workspace(workspace, BoostConfig()).manifest.summary["kept"]}
    if workspace.has(BOOST):
        take_boost_away(workspace)
    return {}


def _peer(workspace: Workspace, run: Run) -> Load:
    peer = SentencePeer()
    texts = product_text(read_products(workspace)).joined().to_pylist()
    figures: dict[str, Any] = {}
    if run.kind == "minilm-tuned":
        pairs = TrainingData.read(workspace.verified("features")).pairs
        report = peer.tune(
            pairs.queries.to_pylist(),
            texts,
            query_index=pairs.query_index,
            product_index=pairs.product_index,
            epochs=run.recipe.train.epochs,
            max_minutes=run.recipe.train.max_minutes,
            seed=run.recipe.seed,
        )
        figures = asdict(report)
    retriever = SemanticRetriever(peer.encode, ExactIndex.build(peer.encode(texts)), name=run.kind)
    return lambda _: (retriever, figures)


def _measure(
    task: RunTask,
    workspace: Workspace,
    measuring: Measuring,
    *,
    retriever: Retriever,
    figures: dict[str, Any],
    cpu_s: float,
) -> None:
    sets = measured_sets(workspace, task.measured_on)

    def build(folder: Path) -> dict[str, Any]:
        values = {
            f"{labels}/{name}": column
            for labels, found in sets.items()
            for name, column in values_per_query(found, retriever).items()
        }
        np.savez_compressed(folder / "values.npz", **values)  # type: ignore[arg-type]
        return {**figures, "cpu_minutes": (time.process_time() - cpu_s) / 60}

    run = task.run
    config = {"run": run.name, "kind": run.kind, "system": measuring.system, "measured_on": asdict(task.measured_on)}
    inputs = [name for name in TABLES if workspace.has(name)]
    workspace.run_step(measuring.artefact, build, inputs=inputs, config=config, seed=run.recipe.seed)
