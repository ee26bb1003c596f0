"""Smaller served vectors cut out of larger ones: the first dimensions of every part, at the part's own length."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from aisle.core.errors import UsageError

__all__ = ["prefix_dims", "served_prefix"]


def prefix_dims(block_dims: Sequence[int], dim: int) -> list[int]:
    """Deal out a smaller size to the blocks of a served vector, in proportion, the rest to whom most is missing.

    >>> prefix_dims([129, 64, 63], 64)
    [32, 16, 16]

    Raises:
        UsageError: If a block would get no dimension, or the size is above the full one.
    """
    full = sum(block_dims)
    if dim == full:
        return list(block_dims)
    kept = [dim * one // full for one in block_dims]
    missing = sorted(range(len(kept)), key=lambda place: -(dim * block_dims[place] % full))
    for place in missing[: max(dim - sum(kept), 0)]:
        kept[place] += 1
    if min(kept) < 1 or dim > full:
        raise UsageError(
            "A served size must leave every part a dimension and not be above the full size",
            received={"dim": dim, "parts": list(block_dims)},
            remedy="Choose a size in between.",
        )
    return kept


def served_prefix(
    vectors: Float[Tensor, "rows full"], block_dims: Sequence[int], dim: int
) -> Float[Tensor, "rows dim"]:
    """Cut served vectors, of queries or of products, to a smaller size.

    Each block keeps its first dimensions and its length: a product's parts stay at length one, a query's at their
    gates, so that the score of the smaller vectors is `Σ_k g_k cos(q_k[:m_k], p_k[:m_k])`.

    Args:
        vectors: Served vectors.
        block_dims: `Fusion.served_dims`.
        dim: The smaller size.

    Source: Kusupati et al. 2022, "Matryoshka Representation Learning"; prefixes by part are ours, as the first
        dimensions of parts that stand side by side would be one part alone.
    """
    blocks = torch.split(vectors.float(), list(block_dims), dim=1)
    cut = [
        torch.nn.functional.normalize(block[:, :kept], dim=1) * block.norm(dim=1, keepdim=True)
        for block, kept in zip(blocks, prefix_dims(block_dims, dim), strict=True)
    ]
    return torch.cat(cut, dim=1)
