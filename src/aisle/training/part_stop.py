"""Parts that stop before the others: from a share of the steps on their weights stay as they are."""

from __future__ import annotations

from torch import nn

from aisle.towers import TowerConfig, TowerNetwork

__all__ = ["PartStop"]

_PARTS = ("term", "text", "graph", "context", "history")


class PartStop:
    """Freezes each part once its `stop_share` of the steps is done.

    A frozen part has no gradient, so that no optimiser moves it, by weight decay neither, and it is not clipped with
    the others. What is frozen follows from the step alone: a resumed run needs no memory of it.

    Args:
        network: What is trained.
        towers: Its parts' settings.
    """

    def __init__(self, network: TowerNetwork, towers: TowerConfig) -> None:
        parts = ((getattr(network, name), getattr(towers, name).stop_share) for name in _PARTS)
        self._waiting = [(part, share) for part, share in parts if part is not None and share is not None]
        self._frozen: list[nn.Parameter] = []

    def freeze(self, done: float) -> None:
        """Freeze the parts whose time has come.

        Args:
            done: Share of the planned steps that is done, in 0..1.
        """
        due = [part for part, share in self._waiting if done >= share]
        self._waiting = [(part, share) for part, share in self._waiting if done < share]
        for part in due:
            parameters = [one for one in part.parameters() if one.requires_grad]
            for parameter in parameters:
                parameter.requires_grad_(False)
            self._frozen += parameters

    def release(self) -> None:
        """Let a later training move all parts again."""
        for parameter in self._frozen:
            parameter.requires_grad_(True)
        self._frozen = []
