"""Curves for TensorBoard: what the steps and validations of a run came to."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from aisle.core.errors import UsageError
from aisle.towers import PostFusion
from aisle.towers.fusion import Fusion

__all__ = ["Curves", "gate_means"]

_EVERY_STEPS = 10


class Curves:
    """Writes scalars into a folder of event files, or nowhere.

    Args:
        folder: Made where it is missing; None writes nothing.
        first_step: Step that the run begins with or goes on from: what a killed run wrote of later ones is forgotten.

    Raises:
        UsageError: If there is a folder and TensorBoard is not installed.
    """

    def __init__(self, folder: Path | None, *, first_step: int) -> None:
        self._writer = None if folder is None else _open_writer(folder, first_step=first_step)

    def is_due(self, step: int) -> bool:
        """Tell whether a step is to be written; most are not, as reading gates and rates costs time."""
        return self._writer is not None and step % _EVERY_STEPS == 0

    def add(self, step: int, values: Mapping[str, float]) -> None:
        """Write values by name, such as `loss/batch`."""
        if self._writer is not None:
            for name, value in values.items():
                self._writer.add_scalar(name, value, step)

    def __enter__(self) -> Curves:
        """Return the curves; at the end of the block the files are closed."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files, also after an error: what was written until then can be looked at."""
        if self._writer is not None:
            self._writer.close()


def gate_means(fusion: Fusion, queries: Float[Tensor, "rows dim"]) -> dict[str, float]:
    """Return the mean gate of every part over some served query vectors: what each part counts in the score.

    A post-fused query is `[g_k q_k]` with unit q_k: the norm of a piece is its gate. Other fusions have no gates.
    """
    if not isinstance(fusion, PostFusion):
        return {}
    pieces = torch.split(queries.detach(), list(fusion.part_dims.values()), dim=1)
    return {name: float(piece.norm(dim=1).mean()) for name, piece in zip(fusion.part_dims, pieces, strict=True)}


def _open_writer(folder: Path, *, first_step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UsageError(
            "train.tensorboard needs the package tensorboard",
            received={"train.tensorboard": True, "problem": str(error)},
            remedy="Run `pip install 'aisle[train]'`, or leave the setting out.",
        ) from error
    writer: Any = SummaryWriter
    return writer(str(folder), purge_step=first_step)
