"""What a frozen transformer makes of every text, computed once: the artefact `text_vectors`."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aisle.core.progress import progress_bar
from aisle.encoders import build_text_encoder
from aisle.encoders.pooling import write_pooled
from aisle.features import read_features
from aisle.pipelines.checkpoints import with_own_checkpoint
from aisle.pipelines.featurising import CHECKPOINT, load_featuriser
from aisle.pipelines.recipe import Recipe
from aisle.training.accelerating import training_device
from aisle.workspace import StepResult, Workspace, fingerprint

__all__ = ["TEXT_VECTORS", "pool_texts", "texts_key"]

TEXT_VECTORS = "text_vectors"
_FORMAT = 1
_TABLES = ("products", "queries", "validation")
_TOKENS = ("token_ids.npy", "token_length.npy")


def pool_texts(workspace: Workspace, recipe: Recipe) -> StepResult | None:
    """Store the pooled vectors of the texts of `features`; None where a recipe's transformer is not frozen.

    Only tokens and checkpoint are inputs: features that were made anew with the same texts leave the step skipped.

    Raises:
        ConfigError: If texts may be longer than the checkpoint can read.
        ModelError: If the checkpoint cannot be loaded.
    """
    if not (recipe.text.is_on and recipe.text.frozen):
        return None
    inputs, config = _made_from(workspace, recipe)

    def build(folder: Path) -> dict[str, Any]:
        text = with_own_checkpoint(workspace, recipe.text)
        return _build(workspace.verified("features"), replace(recipe, text=text), folder)

    return workspace.run_step(TEXT_VECTORS, build, inputs=inputs, config=config)


def texts_key(workspace: Workspace, recipe: Recipe) -> str | None:
    """Return a hash that workspaces share where the same vectors serve them; None where no transformer is frozen.

    Raises:
        WorkspaceError: If there are no features.
    """
    if not (recipe.text.is_on and recipe.text.frozen):
        return None
    inputs, config = _made_from(workspace, recipe)
    return fingerprint({"inputs": inputs, "config": config})


def _made_from(workspace: Workspace, recipe: Recipe) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the hashes of tokens and checkpoint, and the settings."""
    features = workspace.manifest("features")
    inputs = {name: digest for name, digest in features.files.items() if name.endswith(_TOKENS)}
    inputs[CHECKPOINT] = features.inputs[CHECKPOINT]
    return inputs, {"format": _FORMAT, "bf16": recipe.train.bf16}


def _build(features: Path, recipe: Recipe, folder: Path) -> dict[str, Any]:
    featuriser = load_featuriser(features)
    assert featuriser.tokens is not None
    config = featuriser.config.tokens
    text = build_text_encoder(
        recipe.text,
        dim=1,
        vocabulary_size=featuriser.tokens.vocabulary_size,
        max_tokens=max(config.max_query_tokens, config.max_product_tokens),
    ).to(training_device())
    text.bf16 = recipe.train.bf16
    started = time.monotonic()
    read = {name: read_features(features / name).tokens for name in _TABLES if (features / name).exists()}
    tables = {name: (tokens, tokens.first_places()) for name, tokens in read.items() if tokens is not None}
    distinct = sum(len(np.unique(places)) for _, places in tables.values())
    with progress_bar("text vectors", total=distinct, unit="texts") as advance:
        for name, (tokens, places) in tables.items():
            write_pooled(text, tokens, folder / f"{name}.npy", places=places, advance=advance)
    took_s = time.monotonic() - started
    texts = sum(len(tokens) for tokens, _ in tables.values())
    return {"texts": texts, "distinct_texts": distinct, "minutes": took_s / 60, "texts_s": distinct / took_s}
