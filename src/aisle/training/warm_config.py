"""Settings of a warm start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

__all__ = ["WarmConfig"]


@dataclass(frozen=True)
class WarmConfig:
    """Training that goes on from a trained model, on the days that it has not seen (`aisle train --from`)."""

    passes: Annotated[int, Ge(1)] = 4
    """Passes over the positives of the new days."""

    replay_share: Annotated[float, Ge(0), Lt(1)] = 0.5
    """Share of the batches that are drawn from the days that the model has learnt. More: less is forgotten, slower."""

    rate_factor: Annotated[float, Gt(0), Le(1)] = 0.05
    """Factor on all step sizes: at 0.05 training goes on with the steps with which it ended. More: forgets more."""

    warmup_share: Annotated[float, Ge(0), Le(1)] = 0.2
    """Share of the steps over which the step size rises; the optimisers begin without a memory."""

    validations: Annotated[int, Ge(1)] = 1
    """How often the full catalogue is measured, the last time at the end."""
