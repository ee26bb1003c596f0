"""Optimisers: AdamW for dense parts, a row-wise sparse one for tables, and one schedule for both."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from aisle.towers import TowerConfig, TowerNetwork
from aisle.training.config import TrainConfig
from aisle.training.gradients import add_up_gradients, rows_of
from aisle.training.processes import Processes
from aisle.training.row_adam import RowAdam

__all__ = ["Optimisers", "clip_sparse_norm", "schedule"]

_SPARSE_TABLES = ("table.weight", "learnt.query.weight", "learnt.product.weight")


class Optimisers:
    """All optimisers of a network, stepped together.

    Args:
        network: What is trained.
        towers: Step sizes of the parts.
        config: Step size of the fusion, weight decay, clip.
        beside: Groups of parameters that are learnt beside the network; they have an optimiser and a norm of their own.
        clip_norm: Scales dense gradients to a norm of at most its second argument, taken over all of them, and returns
            the norm before.
    """

    def __init__(
        self,
        network: TowerNetwork,
        towers: TowerConfig,
        config: TrainConfig,
        *,
        beside: Sequence[dict[str, Any]] = (),
        clip_norm: Callable[[list[Tensor], float], Any] = nn.utils.clip_grad_norm_,
    ) -> None:
        self._clip, self._clip_norm = config.gradient_clip, clip_norm
        self._sparse_gradients = config.sparse_gradients
        _set_sparse(network, config.sparse_gradients)
        tables = _tables(network, towers)
        self._tables: list[Tensor] = [table for group in tables for table in group["params"]]
        groups = []
        if network.term is not None:
            missing = {"params": [network.term.missing], "lr": config.fusion_learning_rate, "weight_decay": 0.0}
            groups.append({**missing, "name": "fusion"})
        if network.text is not None:
            text = network.text.projection if network.text.frozen else network.text
            groups += _groups("text", text, towers.text.resolved_learning_rate, config.weight_decay)
        for name, part, lr in _channels(network, towers):
            groups += _groups(name, part, lr, config.weight_decay)
        groups += _groups("fusion", network.fusion, config.fusion_learning_rate, config.weight_decay)
        self._dense = torch.optim.AdamW(groups, fused=True)
        self._sparse = RowAdam(tables) if tables else None
        # Apart from the dense parts, whose clip its gradients would move.
        self._beside = torch.optim.Adam(list(beside)) if beside else None
        self._peaks = [[group["lr"] for group in one.param_groups] for one in self._all()]

    def add_up(self, processes: Processes) -> None:
        """Add up the gradients of all processes, each of which has encoded a share of the batch.

        What is learnt beside the network sees the whole loss in every process: its gradient is whole already.

        Raises:
            TrainingError: If another process has ended.
        """
        dense = [one for one in _parameters(self._dense) if one.requires_grad]
        tables = [one for one in self._tables if one.requires_grad]
        if not self._sparse_gradients:
            dense, tables = [*dense, *tables], []
        add_up_gradients(dense, tables, processes)

    def clip(self) -> list[float]:
        """Clip the gradients, and return their norms before: of dense parts, of each table, of what is beside."""
        norms = [float(self._clip_norm(_parameters(self._dense), self._clip))]
        norms += clip_sparse_norm(self._tables, self._clip)
        if self._beside is not None:
            norms.append(float(self._clip_norm(_parameters(self._beside), self._clip)))
        return norms

    def learning_rates(self, factor: float) -> list[float]:
        """Return the distinct step sizes of all groups at a factor of the schedule, ascending."""
        return sorted({peak * factor for peaks in self._peaks for peak in peaks})

    def step(self, factor: float) -> None:
        """Step with every step size times `factor`, and forget the gradients, which are clipped already."""
        for one, peaks in zip(self._all(), self._peaks, strict=True):
            for group, peak in zip(one.param_groups, peaks, strict=True):
                group["lr"] = peak * factor
        for one in self._all():
            one.step()
            one.zero_grad(set_to_none=True)

    def rates(self) -> dict[str, float]:
        """Return the step sizes of the last step by part; a table has its own."""
        return {group["name"]: group["lr"] for one in self._all() for group in one.param_groups}

    def peaks(self) -> dict[str, float]:
        """Return the peak step sizes by part."""
        groups = [group for one in self._all() for group in one.param_groups]
        peaks = [peak for of_one in self._peaks for peak in of_one]
        return {group["name"]: peak for group, peak in zip(groups, peaks, strict=True)}

    def state_dict(self) -> list[dict[str, object]]:
        """Return the states of all optimisers."""
        return [one.state_dict() for one in self._all()]

    def load_state_dict(self, states: list[dict[str, object]]) -> None:
        """Restore what `state_dict` returned."""
        for one, state in zip(self._all(), states, strict=True):
            one.load_state_dict(state)

    def _all(self) -> list[torch.optim.Optimizer]:
        return [one for one in (self._dense, self._sparse, self._beside) if one is not None]


def _set_sparse(network: TowerNetwork, sparse: bool) -> None:
    for module in network.modules():
        if isinstance(module, nn.EmbeddingBag):
            module.sparse = sparse


def _parameters(optimiser: torch.optim.Optimizer) -> list[Tensor]:
    return [parameter for group in optimiser.param_groups for parameter in group["params"]]


def _tables(network: TowerNetwork, towers: TowerConfig) -> list[dict[str, Any]]:
    """Return the tables whose gradients are sparse, with their step sizes."""
    groups = []
    if network.term is not None:
        groups.append({"params": [network.term.table.weight], "lr": towers.term.learning_rate, "name": "term table"})
    if network.graph is not None and network.graph.learnt:
        rows = list(network.graph.learnt.parameters())
        groups.append({"params": rows, "lr": towers.graph.table_learning_rate, "name": "graph rows"})
    if network.context is not None:
        rate = towers.context.table_learning_rate
        groups.append({"params": [network.context.table.weight], "lr": rate, "name": "context table"})
    return groups


def _channels(network: TowerNetwork, towers: TowerConfig) -> Iterator[tuple[str, nn.Module, float]]:
    """Yield the channels beside term and text, by name, with their step sizes."""
    if network.graph is not None:
        yield "graph", network.graph, towers.graph.learning_rate
    if network.context is not None:
        yield "context", network.context, towers.context.learning_rate
    if network.history is not None:
        yield "history", network.history, towers.history.learning_rate


def clip_sparse_norm(tables: Iterable[Tensor], most: float) -> list[float]:
    """Make gradients sparse, scale them to a norm of at most `most`, taken over their rows; return the norms before.

    `torch.nn.utils.clip_grad_norm_` refuses sparse gradients, and the norm of uncoalesced ones counts a row that stands
    twice as two rows.
    """
    norms = []
    for table in tables:
        if table.grad is None:
            continue
        table.grad = rows_of(table.grad)
        norm = table.grad.values().norm()
        table.grad.values().mul_(torch.clamp(most / (norm + 1e-12), max=1.0))
        norms.append(float(norm))
    return norms


def schedule(step: int, *, planned_steps: int, warmup_share: float) -> float:
    """Return the factor of all step sizes: rises linearly to 1, then falls linearly towards 0, held at 0.05.

    >>> schedule(0, planned_steps=100, warmup_share=0.1), schedule(9, planned_steps=100, warmup_share=0.1)
    (0.1, 1.0)
    """
    warmup = max(1, round(warmup_share * planned_steps))
    if step < warmup:
        return (step + 1) / warmup
    return max(0.05, 1 - (step - warmup + 1) / max(1, planned_steps - warmup))


def _groups(part: str, module: nn.Module, lr: float, weight_decay: float) -> list[dict[str, object]]:
    """Decay matrices, not biases, norms and embeddings; a table with sparse gradients has an optimiser of its own."""
    decayed, kept = [], []
    for name, parameter in module.named_parameters():
        if name in _SPARSE_TABLES:
            continue
        if parameter.ndim < 2 or "tokens" in name or "position" in name or "embeddings" in name:
            kept.append(parameter)
        else:
            decayed.append(parameter)
    return [
        {"params": decayed, "lr": lr, "weight_decay": weight_decay, "name": part},
        {"params": kept, "lr": lr, "weight_decay": 0.0, "name": part},
    ]
