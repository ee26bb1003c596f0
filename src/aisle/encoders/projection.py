"""Projections that start from the data instead of at random."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["principal_rows"]


def principal_rows(vectors: Float[Tensor, "rows width"], count: int) -> Float[Tensor, "count width"]:
    """Return the main directions of some vectors, taken at length one and not centred; zeros where there are too few.

    A projection made of them keeps nearly all similarities; a random one would lose them.
    """
    unit = nn.functional.normalize(vectors.float(), dim=1)
    _, _, directions = torch.linalg.svd(unit, full_matrices=False)
    rows = torch.zeros(count, vectors.shape[1], device=vectors.device)
    rows[: min(count, len(directions))] = directions[:count]
    return rows
