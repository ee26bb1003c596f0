"""Optimisers: AdamW for dense parts, a row-wise sparse one for tables, and one schedule for both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from aisle.towers import TowerConfig, TowerNetwork
from aisle.training.config import TrainConfig

__all__ = ["Optimisers", "clip_sparse_norm", "schedule"]

_SPARSE_TABLE = "table.weight"


class Optimisers:
    """All optimisers of a network, stepped together.

    Args:
        network: What is trained.
        towers: Step sizes of the parts.
        config: Step size of the fusion, weight decay, clip.
    """

    def __init__(self, network: TowerNetwork, towers: TowerConfig, config: TrainConfig) -> None:
        self._clip = config.gradient_clip
        tables = _tables(network, towers)
        self._tables: list[Tensor] = [table for group in tables for table in group["params"]]
        groups = []
        if network.term is not None:
            groups.append({"params": [network.term.missing], "lr": config.fusion_learning_rate, "weight_decay": 0.0})
        if network.text is not None:
            groups += _groups(network.text.named_parameters(), towers.text.resolved_learning_rate, config.weight_decay)
        for part, lr in _channels(network, towers):
            groups += _groups(part.named_parameters(), lr, config.weight_decay)
        groups += _groups(network.fusion.named_parameters(), config.fusion_learning_rate, config.weight_decay)
        self._dense = torch.optim.AdamW(groups, fused=True)
        self._sparse = torch.optim.SparseAdam(tables) if tables else None
        self._peaks = [[group["lr"] for group in one.param_groups] for one in self._all()]

    def step(self, factor: float) -> None:
        """Clip, step with every step size times `factor`, and forget the gradients."""
        for one, peaks in zip(self._all(), self._peaks, strict=True):
            for group, peak in zip(one.param_groups, peaks, strict=True):
                group["lr"] = peak * factor
        nn.utils.clip_grad_norm_([p for group in self._dense.param_groups for p in group["params"]], self._clip)
        clip_sparse_norm(self._tables, self._clip)
        for one in self._all():
            one.step()
            one.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, object]]:
        """Return the states of all optimisers."""
        return [one.state_dict() for one in self._all()]

    def load_state_dict(self, states: list[dict[str, object]]) -> None:
        """Restore what `state_dict` returned."""
        for one, state in zip(self._all(), states, strict=True):
            one.load_state_dict(state)

    def _all(self) -> list[torch.optim.Optimizer]:
        return [self._dense] if self._sparse is None else [self._dense, self._sparse]


def _tables(network: TowerNetwork, towers: TowerConfig) -> list[dict[str, Any]]:
    """Return the tables whose gradients are sparse, with their step sizes."""
    groups = []
    if network.term is not None:
        groups.append({"params": [network.term.table.weight], "lr": towers.term.learning_rate})
    if network.context is not None:
        groups.append({"params": [network.context.table.weight], "lr": towers.context.table_learning_rate})
    return groups


def _channels(network: TowerNetwork, towers: TowerConfig) -> Iterator[tuple[nn.Module, float]]:
    """Yield the channels beside term and text, with their step sizes."""
    if network.graph is not None:
        yield network.graph, towers.graph.learning_rate
    if network.context is not None:
        yield network.context, towers.context.learning_rate
    if network.history is not None:
        yield network.history, towers.history.learning_rate


def clip_sparse_norm(tables: Iterable[Tensor], most: float) -> None:
    """Scale sparse gradients to a norm of at most `most`, taken over coalesced rows.

    `torch.nn.utils.clip_grad_norm_` refuses sparse gradients, and the norm of uncoalesced ones counts a row that stands
    twice as two rows.
    """
    for table in tables:
        if table.grad is None:
            continue
        table.grad = table.grad.coalesce()
        norm = table.grad.values().norm()
        table.grad.values().mul_(torch.clamp(most / (norm + 1e-12), max=1.0))


def schedule(step: int, *, planned_steps: int, warmup_share: float) -> float:
    """Return the factor of all step sizes: rises linearly to 1, then falls linearly towards 0, held at 0.05.

    >>> schedule(0, planned_steps=100, warmup_share=0.1), schedule(9, planned_steps=100, warmup_share=0.1)
    (0.1, 1.0)
    """
    warmup = max(1, round(warmup_share * planned_steps))
    if step < warmup:
        return (step + 1) / warmup
    return max(0.05, 1 - (step - warmup + 1) / max(1, planned_steps - warmup))


def _groups(parameters: Iterable[tuple[str, nn.Parameter]], lr: float, weight_decay: float) -> list[dict[str, object]]:
    """Decay matrices, not biases, norms and embeddings; a table with sparse gradients has an optimiser of its own."""
    decayed, kept = [], []
    for name, parameter in parameters:
        if name == _SPARSE_TABLE:
            continue
        if parameter.ndim < 2 or "tokens" in name or "position" in name or "embeddings" in name:
            kept.append(parameter)
        else:
            decayed.append(parameter)
    return [
        {"params": decayed, "lr": lr, "weight_decay": weight_decay},
        {"params": kept, "lr": lr, "weight_decay": 0.0},
    ]
