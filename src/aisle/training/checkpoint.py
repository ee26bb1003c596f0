"""Checkpoints: all that a killed run needs to go on as if nothing had happened."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from aisle.core.errors import WorkspaceError

__all__ = ["Checkpoint", "Progress"]

_NAME = "checkpoint.pt"
_MOST_NAMED = 8


@dataclass
class Progress:
    """Where a run stands.

    Attributes:
        step: Steps done.
        elapsed_s: Training time so far, over all tries, validation included.
        train_s: Time of the steps alone.
        planned_steps: Steps that fit into the time bound; 0 until it is known.
        best_value: Best value of the stop measure so far; below 0 before the first validation.
        best_step: Step of the best.
        misses: Validations since the best.
        losses: Loss of every step.
        sources: Of every source of losses since the last validation: its sum, and the steps that it is of.
        history: One row per validation; see `TrainingResult`.
    """

    step: int = 0
    elapsed_s: float = 0.0
    train_s: float = 0.0
    planned_steps: int = 0
    best_value: float = -1.0
    best_step: int = 0
    misses: int = 0
    losses: list[float] = field(default_factory=list)
    sources: dict[str, tuple[float, int]] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass
class Checkpoint:
    """Progress, weights, best weights, optimisers, vector tables, what the objective keeps, and the recipe."""

    progress: Progress
    network: dict[str, Tensor]
    best: dict[str, Tensor]
    optimisers: list[dict[str, Any]]
    tables: dict[str, Tensor] = field(default_factory=dict)
    objective: dict[str, Tensor] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)

    def write(self, folder: Path) -> None:
        """Write the checkpoint whole or not at all."""
        temporary = folder / f"{_NAME}.tmp"
        with temporary.open("wb") as file:
            torch.save({**vars(self), "progress": asdict(self.progress)}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / _NAME)

    @classmethod
    def read(cls, folder: Path) -> Checkpoint | None:
        """Return the folder's checkpoint, or None where there is none.

        Raises:
            WorkspaceError: If it is damaged.
        """
        path = folder / _NAME
        if not path.exists():
            return None
        try:
            _check_sums(path)
            saved = torch.load(path, weights_only=True, map_location="cpu")
            return cls(**{**saved, "progress": Progress(**saved["progress"])})
        except Exception as error:  # torch raises many kinds for damaged files, some without a text
            raise WorkspaceError(
                "A checkpoint must be readable",
                received={"path": str(path), "problem": (str(error) or type(error).__name__).splitlines()[0]},
                remedy="Delete it; training then starts again.",
            ) from error

    def check_recipe(self, recipe: Mapping[str, Any], folder: Path) -> None:
        """Refuse to go on with other settings or data: the run would be neither the old one nor the new one.

        Args:
            recipe: Nested plain values of the run that is to go on.
            folder: Where the checkpoint lies, for the message.

        Raises:
            WorkspaceError: If a value differs.
        """
        ours, theirs = dict(_leaves(recipe)), dict(_leaves(self.recipe))
        missing = object()
        differs = [name for name in {**theirs, **ours} if ours.get(name, missing) != theirs.get(name, missing)]
        if differs:
            raise WorkspaceError(
                "A checkpoint must be of the same recipe and data",
                received={"folder": str(folder), "differs": differs[:_MOST_NAMED]},
                remedy="Train in another folder, or delete the checkpoint; training then starts again.",
            )

    @staticmethod
    def remove(folder: Path) -> None:
        """Delete the folder's checkpoint, as the finished model stands in its place."""
        for name in (_NAME, f"{_NAME}.tmp"):
            (folder / name).unlink(missing_ok=True)


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _check_sums(path: Path) -> None:
    """Compare the archive's parts with their check sums; `torch.load` does not, and would return damaged weights."""
    with zipfile.ZipFile(path) as archive:
        damaged = archive.testzip()
    if damaged is not None:
        raise zipfile.BadZipFile(f"{damaged} is damaged")
