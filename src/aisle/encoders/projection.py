"""Projections that start from the data instead of at random."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

__all__ = ["fitted_map", "principal_rows"]

_RIDGE = 1e-2


def fitted_map(
    inputs: Float[Tensor, "rows width"], outputs: Float[Tensor, "rows dim"]
) -> tuple[Float[Tensor, "dim width"], Float[Tensor, " dim"]]:
    """Fit a linear map with a bias from inputs to outputs by least squares, a little shrunk (ridge regression).

    Args:
        inputs: One row of each.
        outputs: What each should come to.

    Returns:
        Weight and bias, as `torch.nn.Linear` has them.
    """
    inputs, outputs = inputs.double(), outputs.double()
    centre, mean = inputs.mean(0), outputs.mean(0)
    apart = inputs - centre
    gram = apart.T @ apart
    # A share of the mean variance: what few rows tell of many dimensions is not believed.
    shrunk = gram + torch.eye(len(gram), dtype=gram.dtype, device=gram.device) * (
        _RIDGE * gram.trace() / len(gram) + 1e-9
    )
    weight = torch.linalg.solve(shrunk, apart.T @ (outputs - mean)).T
    return weight.float(), (mean - weight @ centre).float()


def principal_rows(vectors: Float[Tensor, "rows width"], count: int) -> Float[Tensor, "count width"]:
    """Return the main directions of some vectors, taken at length one and not centred; zeros where there are too few.

    A projection made of them keeps nearly all similarities; a random one would lose them.
    """
    unit = nn.functional.normalize(vectors.float(), dim=1)
    _, _, directions = torch.linalg.svd(unit, full_matrices=False)
    rows = torch.zeros(count, vectors.shape[1], device=vectors.device)
    rows[: min(count, len(directions))] = directions[:count]
    return rows
