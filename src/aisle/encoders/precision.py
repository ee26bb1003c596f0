"""Where dense layers run in bfloat16."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["bf16_autocast", "cast_output", "has_fast_bf16"]


def has_fast_bf16(device: torch.device) -> bool:
    """Tell whether a device multiplies bfloat16 fast; a processor without instructions for it would be slower."""
    # PyTorch names the probe so from 2.5 on.
    has_instructions = getattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False)
    return device.type != "cpu" or bool(has_instructions())


@contextmanager
def bf16_autocast(device: torch.device, *, enabled: bool) -> Iterator[None]:
    """Run dense layers in bfloat16 where the device multiplies it fast; weights stay as they are."""
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled and has_fast_bf16(device)):
        yield


def cast_output(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
    """Give a module's output the type of autocast, where that is on; a forward hook.

    Autocast rounds what enters a matrix product alone, so a transformer's hidden state stays in float32 and is rounded
    again before each of its products: a quarter of a step on a CPU. Rounded once, behind the embeddings, it stays in
    bfloat16; layer norms and softmaxes still sum in float32 inside.
    """
    kind = output.device.type
    return output.to(torch.get_autocast_dtype(kind)) if torch.is_autocast_enabled(kind) else output
