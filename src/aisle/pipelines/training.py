"""From features to a trained model: the artefact `model`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Int64

from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.errors import UsageError
from aisle.core.memory import available_memory
from aisle.core.rng import stream_seed
from aisle.encoders import fitted_map, start_from_latent
from aisle.features import Features
from aisle.pipelines.checkpoints import with_own_checkpoint
from aisle.pipelines.featurising import CHECKPOINT, START, featurise, load_featuriser, takes_searches
from aisle.pipelines.recipe import Recipe
from aisle.pipelines.text_vectors import TEXT_VECTORS, pool_texts
from aisle.pipelines.warm_start import OWN, WarmStart, open_start
from aisle.reporting import Trained, model_card, training_page
from aisle.retrieval import SearchEncoder, Speller, save_edges
from aisle.towers import LOG_CHANNELS, EncodeConfig, FeatureBatch, TowerConfig, TowerNetwork, TwoTower, feature_batch
from aisle.towers.growing import start_network_from
from aisle.towers.query_graph import QUERY_GRAPH
from aisle.training import TrainingData, train
from aisle.training.accelerating import training_device
from aisle.training.checkpoint import Checkpoint
from aisle.training.memory import check_memory, memory_needs
from aisle.training.processes import ONE_PROCESS, Processes
from aisle.workspace import Manifest, StepResult, Workspace

__all__ = ["RUNS", "help_train", "load_encoder", "load_model", "load_served_model", "train_model"]

RUNS = "runs"
"""Folder of the workspace for TensorBoard's event files, one folder per run; no artefact, and never read."""

_PCA_TEXTS = 4096

_NOTHING: tuple[str, int | None] = ("", None)
"""What the first process tells the others where there is nothing to train; else folder and `learnt_until_us`."""


def train_model(
    workspace: Workspace, recipe: Recipe, *, start: str | None = None, processes: Processes = ONE_PROCESS
) -> StepResult:
    """Train the towers; skipped when features and settings are unchanged, resumed when a run was killed.

    Args:
        workspace: What is trained on lies there.
        recipe: All settings.
        start: A trained model to go on from, on the days that it has not learnt: "model" for the workspace's own, or
            a model's folder. None trains anew.
        processes: This one, the first of those that train together; the others call `help_train`.

    Raises:
        UsageError: If the model to go on from has other settings, or there is no new day.
    """
    opened = None
    if start is not None:
        _check_goes_on(workspace, recipe)
        if (present := _went_on(workspace, recipe, start)) is not None:
            processes.from_main(_NOTHING)
            return StepResult(present, skipped=True)
        opened = open_start(workspace, start)
        train_end = workspace.manifest("mined").summary["windows"]["train_end"]
        opened.check(recipe.towers(LOG_CHANNELS), recipe, train_end=train_end)
    trained = _train_model(workspace, recipe, opened, processes)
    if trained.skipped:
        processes.from_main(_NOTHING)
    return trained


def help_train(workspace: Workspace, recipe: Recipe, processes: Processes) -> None:
    """Train with the first process, which calls `train_model`; nothing is written here.

    Args:
        workspace: The first process's.
        recipe: The first process's.
        processes: This one, which is not the first.

    Raises:
        TrainingError: If another process has ended.
    """
    folder, learnt_until_us = processes.from_main(_NOTHING)
    if folder:
        data = _read(workspace, recipe, learnt_until_us)
        loop = recipe.train if learnt_until_us is None else recipe.train.from_model()
        model = _model(data, workspace, recipe, processes)
        train(model, data, loop, folder=Path(folder), seed=recipe.seed, runs=None, processes=processes)


def _check_goes_on(workspace: Workspace, recipe: Recipe) -> None:
    if not takes_searches(workspace, recipe):
        raise UsageError(
            "Going on from a model needs a log that is learnt search by search",
            received={"pairs.source": recipe.pairs.source, "pairs.by_search": recipe.pairs.by_search},
            remedy="Import and mine a log, or train anew without --from.",
        )


def _went_on(workspace: Workspace, recipe: Recipe, start: str) -> Manifest | None:
    """Return the present model where it went on to these days before, from a model that it has replaced."""
    if start != OWN or not workspace.has("model"):
        return None
    present, config = workspace.manifest("model"), _config(recipe.towers(LOG_CHANNELS), recipe)
    is_same = present.inputs.get("mined") == workspace.manifest("mined").content and present.config == config
    return present if is_same else None


def _train_model(workspace: Workspace, recipe: Recipe, start: WarmStart | None, processes: Processes) -> StepResult:
    features = featurise(workspace, recipe, start=start).manifest
    # The features hold a checkpoint's tokenizer only; its weights are an input too.
    inputs = {"features": features.content, CHECKPOINT: features.inputs.get(CHECKPOINT, "none")}
    vectors = pool_texts(workspace, recipe)
    if vectors is not None:
        inputs[TEXT_VECTORS] = vectors.manifest.content
    if start is not None:
        inputs |= {START: start.manifest.content, "mined": workspace.manifest("mined").content}
    towers = _towers(workspace, recipe)
    # What was learnt from stands in the model's own summary: a shop with a log must see that the log was taken.
    learnt_from = {name: value for name, value in features.summary.items() if name != "products"}

    def build(folder: Path) -> dict[str, Any]:
        # Outside the artefact, whose files are hashed; named as the run, so that one that is resumed goes on there.
        runs = workspace.path / RUNS / folder.name
        learnt_until_us = None if start is None else start.learnt_until_us
        data = _read(workspace, recipe, learnt_until_us)
        # The others have waited for features and for the folder.
        processes.from_main((str(folder), learnt_until_us))
        loop = recipe.train if start is None else recipe.train.from_model()
        model = _model(data, workspace, recipe, processes)
        _start(model, data, recipe, start)
        result = train(model, data, loop, folder=folder, seed=recipe.seed, runs=runs, processes=processes)
        _save(model, data, folder)
        trained = Trained(
            towers=towers,
            train=loop,
            result=result,
            seed=recipe.seed,
            parameters=sum(parameter.numel() for parameter in model.network.parameters()),
            learnt_from=features.summary,
            log=workspace.manifest("mined").summary if "logged_pairs" in features.summary else None,
            data_hash=features.content,
            started_from=start.told() if start is not None else None,
        )
        _tell(trained, folder)
        # Last: what is killed before it resumes at the end of training, not at its beginning.
        Checkpoint.remove(folder)
        told = {**learnt_from, **_summary(trained), "query_graph": (folder / QUERY_GRAPH).exists()}
        if data.log is not None and trained.log is not None:
            told["learnt_until"] = trained.log["windows"]["train_end"]
        return told | ({"from": start.told()} if start is not None else {})

    return workspace.run_step("model", build, inputs=inputs, config=_config(towers, recipe), seed=recipe.seed)


def _config(towers: TowerConfig, recipe: Recipe) -> dict[str, Any]:
    """Return the settings that matter to a model: curves beside it change nothing of it."""
    loop = {name: value for name, value in config_to_dict(recipe.train).items() if name != "tensorboard"}
    return {"towers": config_to_dict(towers), "train": loop}


def load_model(workspace: Workspace) -> TwoTower:
    """Load the trained model, its files checked first.

    Raises:
        WorkspaceError: If none was trained.
        ModelError: If it is of another feature spec.
    """
    return TwoTower.load(workspace.verified("model"))


def load_served_model(workspace: Workspace) -> TwoTower:
    """Load the trained model as the workspace's index was built with it: of the same served size.

    Raises:
        WorkspaceError: If none was trained, or nothing was indexed.
        ModelError: If it is of another feature spec.
    """
    model = load_model(workspace)
    model.serve(config_from_dict(EncodeConfig, workspace.manifest("index").config["encode"]).dim)
    return model


def load_encoder(
    workspace: Workspace, model: TwoTower, products: pa.Table, *, speller: Speller | None = None
) -> SearchEncoder:
    """Load what gives the model its inputs of a search, whose typing errors a speller mends."""
    ids = products.column("product_id")
    return SearchEncoder.load(model, workspace.folder("model"), product_ids=ids, speller=speller)


def _towers(workspace: Workspace, recipe: Recipe) -> TowerConfig:
    return recipe.towers(LOG_CHANNELS if takes_searches(workspace, recipe) else ())


def _model(data: TrainingData, workspace: Workspace, recipe: Recipe, processes: Processes) -> TwoTower:
    """Build a model of random weights; the other processes take over those of the first."""
    featuriser, towers = load_featuriser(workspace.folder("features")), _towers(workspace, recipe)
    torch.manual_seed(stream_seed(recipe.seed, "weights"))
    device, num_products = training_device(), len(data.product_features)
    num_known = (len(data.logged_queries()[0]), num_products)
    available = available_memory()
    if device.type == "cpu":
        needs = memory_needs(towers, featuriser, num_known=num_known, num_products=num_products)
        check_memory(needs, None if available is None else available // processes.number_here)
    # The checkpoint's place is of this machine; the model keeps the word for it, so that its folder can be moved.
    resolved = replace(towers, text=with_own_checkpoint(workspace, towers.text))
    network = TowerNetwork.build(resolved, featuriser, num_known=num_known).to(device)
    return TwoTower(featuriser, network, towers)


def _read(workspace: Workspace, recipe: Recipe, learnt_until_us: int | None) -> TrainingData:
    """Read what is trained on, of a log the days after those that the model to go on from has learnt."""
    pooled = workspace.verified(TEXT_VECTORS) if recipe.text.is_on and recipe.text.frozen else None
    data = TrainingData.read(workspace.verified("features"), pooled=pooled)
    if learnt_until_us is None:
        return data
    assert data.log is not None
    return replace(data, log=replace(data.log, learnt_until_us=learnt_until_us))


def _start(model: TwoTower, data: TrainingData, recipe: Recipe, start: WarmStart | None) -> None:
    if start is None:
        _start_anew(model, data, recipe)
        return
    assert data.product_ids is not None
    queries = data.logged_queries()[0]
    start_network_from(model.network, start.model, query_texts=queries, product_ids=data.product_ids)


def _start_anew(model: TwoTower, data: TrainingData, recipe: Recipe) -> None:
    """Start a network's parts from each other and from the catalogue, before anything is learnt."""
    network = model.network
    if network.term is not None and data.product_features.terms is not None:
        seed = stream_seed(recipe.seed, "latent")
        start_from_latent(network.term, data.product_features.terms, share=recipe.term.latent_share, seed=seed)
    if network.text is not None and recipe.text.init is not None:
        _start_projection(network, data.product_features)
    if network.text is not None and network.query_text is None:
        _start_query_text(network, data.product_features)
    if network.graph is not None:
        _start_graph(model, data)


def _save(model: TwoTower, data: TrainingData, folder: Path) -> None:
    model.save(folder)
    if model.network.graph is not None and data.log is not None:
        edges = data.log.query_neighbours[data.log.last_snapshot - 1]
        save_edges(folder, offsets=edges.offsets, index=edges.index, weight=edges.weight)


def _tell(trained: Trained, folder: Path) -> None:
    """Write what came of a training, for programs and for people."""
    (folder / "training.json").write_text(json.dumps(asdict(trained.result), indent=1), encoding="utf-8")
    (folder / "README.md").write_text(model_card(trained), encoding="utf-8")
    (folder / "training.html").write_text(training_page(trained), encoding="utf-8")


def _summary(trained: Trained) -> dict[str, Any]:
    result = trained.result
    return {
        "validation_recall": result.recall,
        "validation": result.measures,
        "stop_measure": result.stop_measure,
        "best_step": result.best_step,
        "steps": result.steps,
        "batch_size": result.batch_size,
        "pairs_s": result.pairs_s,
        "encodes_per_pair": result.encodes_per_pair,
        "minutes": result.minutes,
        "parameters": trained.parameters,
    }


@torch.inference_mode()
def _start_projection(network: TowerNetwork, features: Features) -> None:
    """Start the text part's projection from the main directions of the checkpoint's own product vectors."""
    assert network.text is not None
    pooled = []
    for batch in _some_batches(network, features):
        if batch.pooled is not None:
            pooled.append(batch.pooled)
        elif batch.tokens is not None:
            pooled.append(network.text.pooled(batch.tokens))
    if pooled:
        network.text.start_projection_from(torch.cat(pooled))


@torch.inference_mode()
def _start_query_text(network: TowerNetwork, features: Features) -> None:
    """Start what stands for the text of queries from the map that takes the products' terms to their texts."""
    words = [network.words(batch) for batch in _some_batches(network, features)]
    term, text = (torch.cat([one[name] for one in words]) for name in ("term", "text"))
    network.fusion.start_absent_from("text", "term", *fitted_map(term, text))


def _some_batches(network: TowerNetwork, features: Features) -> Iterator[FeatureBatch]:
    """Yield the words of some of the products, evenly."""
    device = next(network.parameters()).device
    network.eval()
    rows = _some_rows(features)
    for start in range(0, len(rows), 256):
        yield feature_batch(features.take(rows[start : start + 256]), device)


def _some_rows(features: Features) -> Int64[np.ndarray, " rows"]:
    return np.linspace(0, len(features) - 1, min(len(features), _PCA_TEXTS)).astype(np.int64)


def _start_graph(model: TwoTower, data: TrainingData) -> None:
    """Start the graph's projection from the main directions of the products' own words."""
    graph = model.network.graph
    assert graph is not None
    words = model.encode_words(data.product_features.take(_some_rows(data.product_features)))
    graph.start_projection_from(torch.from_numpy(words).to(graph.projection.weight.device))
