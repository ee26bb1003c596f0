"""The trained model that a training goes on from, and whether it may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from aisle.core.config import config_to_dict, flat_values
from aisle.core.errors import UsageError
from aisle.pipelines.recipe import Recipe
from aisle.towers import TowerConfig, TwoTower
from aisle.workspace import Manifest, Workspace, verify_files

__all__ = ["OWN", "WarmStart", "open_start"]

OWN = "model"
"""In place of a folder: the workspace's own model."""


@dataclass(frozen=True, eq=False)
class WarmStart:
    """A trained model, its files checked.

    Attributes:
        folder: Where it lies.
        manifest: Its manifest.
        model: The model.
    """

    folder: Path
    manifest: Manifest
    model: TwoTower

    @property
    def learnt_until(self) -> str:
        """End of the training window that it learnt, ISO 8601."""
        return str(self.manifest.summary["learnt_until"])

    @property
    def learnt_until_us(self) -> int:
        """The same in microseconds since 1970, UTC."""
        return int(np.datetime64(self.learnt_until.removesuffix("Z"), "us").astype(np.int64))

    def told(self) -> dict[str, str]:
        """Return what a model that goes on from it tells of it."""
        return {"model": self.manifest.content, "learnt_until": self.learnt_until}

    def check(self, towers: TowerConfig, recipe: Recipe, *, train_end: str) -> None:
        """Refuse to go on with other towers or features, or without a new day.

        Args:
            towers: Settings of the towers that are to be trained.
            recipe: Settings of the features.
            train_end: End of the present training window, ISO 8601.

        Raises:
            UsageError: If so.
        """
        before = {**self.manifest.config["towers"], "features": config_to_dict(self.model.featuriser.config)}
        _check_same(before, {**config_to_dict(towers), "features": config_to_dict(recipe.features)})
        if train_end <= self.learnt_until:
            raise UsageError(
                "Going on from a model needs days that it has not learnt",
                received={"train_end": train_end, "learnt_until": self.learnt_until},
                remedy="Add a day and run `aisle mine --since last`, or train anew without --from.",
            )


def open_start(workspace: Workspace, start: str) -> WarmStart:
    """Open the model to go on from.

    Args:
        workspace: The workspace.
        start: `OWN`, or the folder of a model.

    Raises:
        WorkspaceError: If there is none, or a file is not as written.
        ModelError: If it is of another feature spec.
        UsageError: If it did not learn a log search by search, or does not tell how far.
    """
    if start == OWN:
        folder = workspace.verified("model")
        manifest = workspace.manifest("model")
    else:
        folder = Path(start)
        manifest = Manifest.read(folder)
        verify_files(folder, manifest.files)
    if "learnt_until" not in manifest.summary:
        raise UsageError(
            "The model that is gone on from must have learnt a log search by search, and tell until when",
            received={"from": start},
            remedy="Train it once more without --from.",
        )
    return WarmStart(folder, manifest, TwoTower.load(folder))


def _check_same(before: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    then, now = flat_values(before), flat_values(wanted)
    names = sorted(then.keys() | now.keys())
    changed: dict[str, object] = {
        name: f"{then.get(name)} → {now.get(name)}" for name in names if then.get(name) != now.get(name)
    }
    if changed:
        raise UsageError(
            "Going on from a model needs its own settings of towers and features",
            received=changed,
            remedy="Give the --recipe and --set that it was trained with, or train anew without --from.",
        )
