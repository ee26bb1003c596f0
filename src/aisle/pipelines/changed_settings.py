"""What a command would set otherwise than it was set for the artefact that it replaces: none is changed in silence."""

from __future__ import annotations

import json
from typing import Any, Literal

from aisle.core.config import config_to_dict, flat_values
from aisle.pipelines.featurising import takes_searches
from aisle.pipelines.recipe import Recipe
from aisle.towers import LOG_CHANNELS
from aisle.workspace import Workspace

__all__ = ["changed_settings"]

_OF_INDEX = ("encode", "index", "lexical", "hybrid")
_OF_FEATURES = ("features", "pairs")
_UNTOLD = "train.tensorboard"
"""Curves beside a model change nothing of it, and its manifest does not hold them."""


def changed_settings(workspace: Workspace, recipe: Recipe, artefact: Literal["model", "index"]) -> list[str]:
    """Name the settings in which a recipe differs from what the present artefact was made with.

    Args:
        workspace: Where it lies.
        recipe: What the next one would be made with.
        artefact: Which one.

    Returns:
        Lines such as "train.epochs 5 → 2"; empty where there is no artefact, or only data have changed.

    Raises:
        ConfigError: If a channel is switched on without data.
    """
    if not workspace.has(artefact):
        return []
    before, after = _present(workspace, artefact), _wanted(workspace, recipe, artefact)
    both = [name for name in before if name in after and name != _UNTOLD]
    return [f"{name} {_told(before[name])} → {_told(after[name])}" for name in both if before[name] != after[name]]


def _present(workspace: Workspace, artefact: str) -> dict[str, Any]:
    manifest = workspace.manifest(artefact)
    values = {**manifest.config, "seed": manifest.seed}
    if artefact == "model":
        values |= values.pop("towers")
        if workspace.has("features") and manifest.inputs["features"] == workspace.manifest("features").content:
            made_from = workspace.manifest("features").config
            values |= {name: made_from[name] for name in _OF_FEATURES}
    return flat_values(values)


def _wanted(workspace: Workspace, recipe: Recipe, artefact: str) -> dict[str, Any]:
    settings = config_to_dict(recipe)
    if artefact == "index":
        return flat_values({name: settings[name] for name in (*_OF_INDEX, "seed")})
    # As a training settles them: a channel is on where the workspace has data for it.
    towers = recipe.towers(LOG_CHANNELS if takes_searches(workspace, recipe) else ())
    values = {name: settings[name] for name in ("train", *_OF_FEATURES, "seed")}
    return flat_values({**values, **config_to_dict(towers)})


def _told(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
