"""Adam for tables whose gradients hold few of their rows."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["RowAdam"]


class RowAdam(torch.optim.SparseAdam):
    """`torch.optim.SparseAdam`, whose rows are taken and put back by their numbers.

    The same moments and steps, and the same state: the two differ in the last digit. PyTorch makes a sparse tensor of
    each change and adds it to the whole table, which takes nearly twice as long on a CPU.

    Source: Kingma and Ba 2015; lazily, as TensorFlow's `LazyAdam`: moments of rows without a gradient stay.
    """

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Move every row that has a gradient."""
        for group in self.param_groups:
            for table in group["params"]:
                if table.grad is not None:
                    _move(table, table.grad.coalesce(), self.state[table], group)


def _move(table: Tensor, gradient: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
    if not state:
        state |= {"step": 0, "exp_avg": torch.zeros_like(table), "exp_avg_sq": torch.zeros_like(table)}
    state["step"] += 1
    (first, second), rows, values = group["betas"], gradient.indices()[0], gradient.values()
    mean = state["exp_avg"].index_select(0, rows).lerp_(values, 1 - first)
    square = state["exp_avg_sq"].index_select(0, rows).lerp_(values * values, 1 - second)
    state["exp_avg"].index_copy_(0, rows, mean)
    state["exp_avg_sq"].index_copy_(0, rows, square)
    rate = group["lr"] * (1 - second ** state["step"]) ** 0.5 / (1 - first ** state["step"])
    table.index_add_(0, rows, mean.div_(square.sqrt_().add_(group["eps"])), alpha=-rate)
