"""What the runs of an ablation share: tables, features and a frozen transformer's vectors, made once and linked."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from aisle.pipelines.ablation_plan import RUNS_FOLDER, TABLES
from aisle.pipelines.checkpoints import PRETRAINED
from aisle.pipelines.featurising import featurise
from aisle.pipelines.recipe import Recipe
from aisle.pipelines.text_vectors import TEXT_VECTORS, pool_texts, texts_key
from aisle.workspace import Workspace

__all__ = [
    "SHARED",
    "FeaturesTask",
    "TextsTask",
    "clear_shared",
    "link_features",
    "linked_workspace",
    "make_features",
    "make_texts",
    "texts_of",
]

SHARED = ("features", TEXT_VECTORS)
"""Artefacts that runs take from folders that they share."""

_KEY_LENGTH = 16


@dataclass(frozen=True)
class FeaturesTask:
    """Features to be made, that several runs share.

    Attributes:
        workspace: Folder of the shop's workspace.
        key: Their hash.
        recipe: Settings.
    """

    workspace: Path
    key: str
    recipe: Recipe

    @property
    def folder(self) -> Path:
        """Return the workspace that keeps them."""
        return _features_folder(self.workspace, self.key)


@dataclass(frozen=True)
class TextsTask:
    """What a frozen transformer makes of texts, that several features share.

    Attributes:
        workspace: Folder of the shop's workspace.
        key: Hash of their tokens, the checkpoint and the settings.
        features: The features that have these texts.
    """

    workspace: Path
    key: str
    features: tuple[FeaturesTask, ...]

    @property
    def folder(self) -> Path:
        """Return the workspace that keeps them."""
        return self.workspace / RUNS_FOLDER / f"texts-{self.key}"


def make_features(task: FeaturesTask) -> None:
    """Make features; skipped where they are there."""
    featurise(linked_workspace(task.workspace, task.folder), task.recipe)


def texts_of(tasks: Iterable[FeaturesTask]) -> list[TextsTask]:
    """Return what a frozen transformer must encode for features that were made: equal texts once.

    Features of other seeds and other channels mostly hold the same tokens.
    """
    found: dict[str, TextsTask] = {}
    for task in tasks:
        mark = texts_key(Workspace.open(task.folder), task.recipe)
        if mark is not None:
            key = mark[:_KEY_LENGTH]
            known = found.get(key, TextsTask(task.workspace, key, ()))
            found[key] = replace(known, features=(*known.features, task))
    return list(found.values())


def make_texts(task: TextsTask) -> None:
    """Encode the texts, skipped where that was done, and link the vectors beside all features that hold these texts."""
    first = task.features[0]
    workspace = Workspace.open(task.folder, create=True)
    _link(first.folder, workspace, ("features", PRETRAINED))
    pool_texts(workspace, first.recipe)
    for features in task.features:
        _link(task.folder, Workspace.open(features.folder), (TEXT_VECTORS,))


def link_features(shop: Path, key: str, workspace: Workspace) -> None:
    """Link shared features, and vectors of their texts where there are any, into a run's workspace."""
    _link(_features_folder(shop, key), workspace, SHARED)


def linked_workspace(shop: Path, folder: Path) -> Workspace:
    """Open a workspace that reads the shop's tables, and its pre-trained encoder, where they are."""
    workspace = Workspace.open(folder, create=True)
    _link(shop, workspace, (*TABLES, PRETRAINED))
    return workspace


def clear_shared(tasks: Sequence[FeaturesTask]) -> None:
    """Remove features, and all vectors of texts of the ablation's shop."""
    for task in tasks:
        shutil.rmtree(task.folder, ignore_errors=True)
        for texts in task.folder.parent.glob("texts-*/"):
            shutil.rmtree(texts, ignore_errors=True)


def _features_folder(shop: Path, key: str) -> Path:
    return shop / RUNS_FOLDER / f"features-{key}"


def _link(source: Path, workspace: Workspace, names: tuple[str, ...]) -> None:
    """Link artefacts of another workspace; relative, so that the shop's folder may be moved."""
    for name in names:
        target = workspace.folder(name)
        if target.is_symlink() and not target.exists():
            target.unlink()  # what it led to was removed; it is made anew elsewhere
        if (source / name).exists() and not target.exists():
            target.symlink_to(os.path.relpath((source / name).resolve(), target.parent.resolve()))
