"""The processes of one training: what they tell each other, and who of them writes.

Each process encodes a share of every batch. The vectors are gathered, so that each computes the whole loss; gradients
of weights are added up. So weights stay the same everywhere, and all decisions are the first process's.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import numpy as np
import torch
import torch.distributed as dist
from jaxtyping import Float
from torch import Tensor

from aisle.core.errors import TrainingError, UsageError

__all__ = ["ONE_PROCESS", "Processes", "joined_processes"]

T = TypeVar("T")

_PATIENCE = timedelta(days=1)
"""How long a process waits for the others, of which the first makes features and validates. One that dies is noticed
at once: its connections close, or the launcher ends the rest."""


@dataclass(frozen=True)
class Processes:
    """One of some processes that train together; by itself, all of it does nothing.

    All of them call the same methods in the same order.

    Attributes:
        rank: Number of this process, from 0.
        number: How many there are.
        number_here: How many of them run on this machine and share its memory.
    """

    rank: int = 0
    number: int = 1
    number_here: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this is the process that writes, measures time and decides."""
        return self.rank == 0

    @property
    def own(self) -> slice:
        """Which of a list of blocks this process encodes: every so-manyth."""
        return slice(self.rank, None, self.number)

    @property
    def stream(self) -> tuple[int, ...]:
        """Name of this process's own random streams, for what must differ between processes; empty for one alone."""
        return (self.rank,) if self.number > 1 else ()

    def whole(self, part: np.ndarray) -> np.ndarray:
        """Join what every process has made of an array of one shape; each leaves zeros where it has made nothing.

        Raises:
            TrainingError: If another process has ended.
        """
        if self.number > 1:
            self.add_up(torch.from_numpy(part))
        return part

    def from_main(self, value: T) -> T:
        """Return the first process's value, in every process.

        Raises:
            TrainingError: If another process has ended.
        """
        if self.number == 1:
            return value
        told = [value]
        with _together():
            dist.broadcast_object_list(told, src=0, device=torch.device("cpu"))
        return told[0]

    def copy_from_main(self, tensors: Iterable[Tensor]) -> None:
        """Fill tensors with the values that they have in the first process.

        Raises:
            TrainingError: If another process has ended.
        """
        if self.number == 1:
            return
        with _together():
            for tensor in tensors:
                dist.broadcast(tensor, src=0)

    def add_up(self, tensor: Tensor) -> None:
        """Replace a tensor by its sum over all processes.

        Raises:
            TrainingError: If another process has ended.
        """
        if self.number > 1:
            with _together():
                dist.all_reduce(tensor)

    def gather(self, own: Float[Tensor, "rows dim"], *, most: int) -> Float[Tensor, "all_rows dim"]:
        """Join rows of all processes, those of the first process first; no gradient goes through.

        Args:
            own: Rows of this process.
            most: Most rows that a process has; those that have fewer are filled up with zeros.

        Returns:
            `most` rows of every process.

        Raises:
            TrainingError: If another process has ended.
        """
        padded = own.new_zeros((most, *own.shape[1:]))
        padded[: len(own)] = own.detach()
        if self.number == 1:
            return padded
        found = [torch.empty_like(padded) for _ in range(self.number)]
        with _together():
            dist.all_gather(found, padded)
        return torch.cat(found)


ONE_PROCESS = Processes()


@contextmanager
def joined_processes() -> Iterator[Processes]:
    """Join the processes that a launcher has started, such as `accelerate launch` or `torchrun`, and leave them after.

    They find each other by the launcher's variables: RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT. Processors speak by
    gloo, GPUs by NCCL.

    Yields:
        This process among them; one alone where none has been launched.

    Raises:
        UsageError: If the launcher does not tell where they are, or has started more of them than there are GPUs.
        TrainingError: If they cannot be reached.
    """
    number = int(os.environ.get("WORLD_SIZE", "1"))
    if number == 1:
        yield ONE_PROCESS
        return
    number_here = int(os.environ.get("LOCAL_WORLD_SIZE", number))
    _check_devices(number_here)
    try:
        with _together():
            dist.init_process_group("cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo", timeout=_PATIENCE)
    except ValueError as error:
        raise UsageError(
            "Where WORLD_SIZE is set, the other variables of a launcher must be too",
            received={"WORLD_SIZE": number, "problem": str(error)},
            remedy="Start with `accelerate launch`, `torchrun` or --processes; or unset WORLD_SIZE.",
        ) from error
    try:
        yield Processes(dist.get_rank(), number, number_here)
    finally:
        dist.destroy_process_group()


def _check_devices(number_here: int) -> None:
    """Refuse what NCCL cannot do, which tells it in words of its own, after minutes."""
    if torch.cuda.is_available() and number_here > torch.cuda.device_count():
        raise UsageError(
            "Every process of a machine must have a GPU of its own",
            received={"processes": number_here, "gpus": torch.cuda.device_count()},
            remedy="Start as many as there are GPUs, or hide these by CUDA_VISIBLE_DEVICES= to train on processors.",
        )


@contextmanager
def _together() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise TrainingError(
            "All processes of a training must run until its end",
            received={"problem": str(error).partition("\n")[0]},
            remedy="Another process has ended: what it wrote tells why. The same command goes on from the last "
            "checkpoint.",
        ) from error
