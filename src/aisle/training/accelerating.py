"""Device, precision, backward and clipping through `accelerate`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from aisle.encoders.precision import has_fast_bf16

if TYPE_CHECKING:
    from accelerate import Accelerator

__all__ = ["make_accelerator", "training_device"]


def training_device() -> torch.device:
    """Return the device that training runs on, as `accelerate` chooses it."""
    return torch.device(make_accelerator(bf16=False).device)


def make_accelerator(*, bf16: bool) -> Accelerator:
    """Make what runs the steps of this process.

    It chooses the device, casts dense layers, sends gradients back and clips the dense ones. Neither network nor
    optimisers are wrapped by it: the towers are two methods of one module, and a wrapper knows `forward` alone; the
    wrapper of an optimiser only scales gradients of float16. Tables have sparse gradients, which its clipping refuses,
    and its wrapper for several processes too: they add up gradients by `add_up_gradients`.

    Args:
        bf16: Whether dense layers run in bfloat16, where the device multiplies it fast; else it would be slower.
    """
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    # Precision and device are the process's in accelerate and cannot be changed; a trainer before, ours or another
    # library's, may have set others. The Trainer of transformers resets them in the same way.
    AcceleratorState._reset_state(reset_partial_state=True)
    # Apple's devices have no sparse gradients.
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    precision = "bf16" if bf16 and has_fast_bf16(device) else "no"
    return Accelerator(cpu=device.type == "cpu", mixed_precision=precision)
