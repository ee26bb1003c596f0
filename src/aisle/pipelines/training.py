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

from aisle.core.config import config_to_dict
from aisle.core.memory import available_memory
from aisle.core.rng import stream_seed
from aisle.encoders import fitted_map, start_from_latent
from aisle.features import Features, Featuriser
from aisle.pipelines.checkpoints import with_own_checkpoint
from aisle.pipelines.featurising import CHECKPOINT, featurise, load_featuriser, takes_searches
from aisle.pipelines.recipe import Recipe
from aisle.pipelines.text_vectors import TEXT_VECTORS, pool_texts
from aisle.reporting import Trained, model_card, training_page
from aisle.retrieval import SearchEncoder, save_edges
from aisle.towers import LOG_CHANNELS, FeatureBatch, TowerConfig, TowerNetwork, TwoTower, feature_batch
from aisle.towers.query_graph import QUERY_GRAPH
from aisle.training import TrainingData, TrainingResult, train
from aisle.training.accelerating import training_device
from aisle.training.checkpoint import Checkpoint
from aisle.training.memory import check_memory, memory_needs
from aisle.workspace import StepResult, Workspace

__all__ = ["RUNS", "load_encoder", "load_model", "train_model"]

RUNS = "runs"
"""Folder of the workspace for TensorBoard's event files, one folder per run; no artefact, and never read."""

_PCA_TEXTS = 4096


def train_model(workspace: Workspace, recipe: Recipe) -> StepResult:
    """Train the towers; skipped when features and settings are unchanged, resumed when a run was killed."""
    features = featurise(workspace, recipe).manifest
    # The features hold a checkpoint's tokenizer only; its weights are an input too.
    inputs = {"features": features.content, CHECKPOINT: features.inputs.get(CHECKPOINT, "none")}
    vectors = pool_texts(workspace, recipe)
    if vectors is not None:
        inputs[TEXT_VECTORS] = vectors.manifest.content
    towers = recipe.towers(LOG_CHANNELS if takes_searches(workspace, recipe) else ())
    # Curves beside the model change nothing of it.
    loop = {name: value for name, value in config_to_dict(recipe.train).items() if name != "tensorboard"}
    config = {"towers": config_to_dict(towers), "train": loop}

    # What was learnt from stands in the model's own summary: a shop with a log must see that the log was taken.
    learnt_from = {name: value for name, value in features.summary.items() if name != "products"}

    def build(folder: Path) -> dict[str, Any]:
        # Outside the artefact, whose files are hashed; named as the run, so that one that is resumed goes on there.
        runs = workspace.path / RUNS / folder.name
        pooled = workspace.verified(TEXT_VECTORS) if vectors is not None else None
        data = TrainingData.read(workspace.verified("features"), pooled=pooled)
        featuriser = load_featuriser(workspace.folder("features"))
        network = _network(data, featuriser, recipe, replace(towers, text=with_own_checkpoint(workspace, towers.text)))
        model = TwoTower(featuriser, network, towers)
        result = _train(model, data, recipe, folder=folder, runs=runs)
        trained = Trained(
            towers=towers,
            train=recipe.train,
            result=result,
            seed=recipe.seed,
            parameters=sum(parameter.numel() for parameter in model.network.parameters()),
            learnt_from=features.summary,
            log=workspace.manifest("mined").summary if "logged_pairs" in features.summary else None,
            data_hash=features.content,
        )
        _tell(trained, folder)
        # Last: what is killed before it resumes at the end of training, not at its beginning.
        Checkpoint.remove(folder)
        return {**learnt_from, **_summary(trained), "query_graph": (folder / QUERY_GRAPH).exists()}

    return workspace.run_step("model", build, inputs=inputs, config=config, seed=recipe.seed)


def load_model(workspace: Workspace) -> TwoTower:
    """Load the trained model, its files checked first.

    Raises:
        WorkspaceError: If none was trained.
        ModelError: If it is of another feature spec.
    """
    return TwoTower.load(workspace.verified("model"))


def load_encoder(workspace: Workspace, model: TwoTower, products: pa.Table) -> SearchEncoder:
    """Load what gives the workspace's model its inputs of a search."""
    return SearchEncoder.load(model, workspace.folder("model"), product_ids=products.column("product_id"))


def _network(data: TrainingData, featuriser: Featuriser, recipe: Recipe, towers: TowerConfig) -> TowerNetwork:
    """Build the network as training begins with it."""
    torch.manual_seed(stream_seed(recipe.seed, "weights"))
    device, num_products = training_device(), len(data.product_features)
    num_known = (len(data.logged_queries()[0]), num_products)
    if device.type == "cpu":
        needs = memory_needs(towers, featuriser, num_known=num_known, num_products=num_products)
        check_memory(needs, available_memory())
    network = TowerNetwork.build(towers, featuriser, num_known=num_known).to(device)
    if network.term is not None and data.product_features.terms is not None:
        seed = stream_seed(recipe.seed, "latent")
        start_from_latent(network.term, data.product_features.terms, share=recipe.term.latent_share, seed=seed)
    if network.text is not None and recipe.text.init is not None:
        _start_projection(network, data.product_features)
    if network.text is not None and network.query_text is None:
        _start_query_text(network, data.product_features)
    return network


def _train(model: TwoTower, data: TrainingData, recipe: Recipe, *, folder: Path, runs: Path) -> TrainingResult:
    """Train a model and save it."""
    network = model.network
    if network.graph is not None:
        _start_graph(model, data)
    result = train(model, data, recipe.train, folder=folder, seed=recipe.seed, runs=runs)
    model.save(folder)
    if network.graph is not None and data.log is not None:
        edges = data.log.query_neighbours[data.log.last_snapshot - 1]
        save_edges(folder, offsets=edges.offsets, index=edges.index, weight=edges.weight)
    return result


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
