"""Drop-out that costs little on a CPU."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["Dropout", "with_cheap_dropout"]

_STEPS = 1 << 16


class Dropout(nn.Module):
    """Zeroes a share of all values while training, and scales up the others.

    PyTorch draws a random number per value, in several passes: a tenth of a step of a transformer on a CPU. Here one
    draw of 64 bits serves four values; the share is rounded to a multiple of 2⁻¹⁶. On other devices, PyTorch's own.

    Args:
        share: Share that is zeroed, in 0..1 below 1.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.p = share

    def forward(self, values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Zero at random while training; in serving nothing is done."""
        if not self.training or self.p == 0:
            return values
        if values.device.type != "cpu":
            return nn.functional.dropout(values, self.p)
        return values * self._factors(values)

    def _factors(self, values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        draws = torch.empty(-(-values.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        sixteen_bits = draws.view(torch.int16)[: values.numel()].view(values.shape)
        zeroed = round(self.p * _STEPS)
        kept = (sixteen_bits >= zeroed - _STEPS // 2).to(values.dtype)
        return kept.mul_(_STEPS / (_STEPS - zeroed))


def with_cheap_dropout(model: nn.Module) -> nn.Module:
    """Replace PyTorch's drop-out in a model by `Dropout`; it has no weights, so what is saved stays the same."""
    for module in model.modules():
        for name, child in module.named_children():
            if type(child) is nn.Dropout:
                setattr(module, name, Dropout(child.p))
    return model
