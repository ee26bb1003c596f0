"""The two numbers that the multi-part hinge learns: α and b of the scaled score α·s + b."""

from __future__ import annotations

import math

import torch
from torch import nn

__all__ = ["HingeScale"]


class HingeScale(nn.Module):
    """α and b, kept beside the network: serving needs neither to order products, a cut-off needs both.

    They begin at 1 and 0. α is learned by its logarithm, so that it stays above 0.
    """

    def __init__(self) -> None:
        super().__init__()
        self.log_scale = nn.Parameter(torch.zeros(()))
        self.shift = nn.Parameter(torch.zeros(()))

    @property
    def scale(self) -> float:
        """Factor α of the score."""
        return math.exp(self.log_scale.item())

    def cut_off(self, threshold: float) -> float:
        """Return the score s at which the scaled score meets a threshold.

        >>> HingeScale().cut_off(0.6)
        0.6
        """
        return (threshold - self.shift.item()) / self.scale
