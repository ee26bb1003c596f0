"""The term part: a weighted sum of hashed n-gram embeddings, on the unit sphere."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from aisle.encoders.batches import TermBatch
from aisle.encoders.summed_rows import SummedRows

__all__ = ["TermEncoder"]


class TermEncoder(nn.Module):
    """Embeds hashed n-grams; query and product share the table.

    Args:
        num_buckets: Rows of the table.
        dim: Dimensions of a row and of the output.
        dropout: Share of n-grams hidden in training.
        sparse: Whether gradients touch only the rows of the batch (NCCL refuses sparse gradients; gloo and one process
            take them).

    Source: Etsy's token embeddings (Jha et al. 2023, section 3). A table at random is already a random projection of
    weighted n-gram vectors, so training starts from lexical similarity and not from noise.
    """

    def __init__(self, num_buckets: int, dim: int, *, dropout: float = 0.0, sparse: bool = True) -> None:
        super().__init__()
        self.dim, self.dropout = dim, dropout
        self.table = SummedRows(num_buckets, dim, sparse=sparse)
        nn.init.normal_(self.table.weight, std=dim**-0.5)
        self.missing = nn.Parameter(torch.randn(dim) * dim**-0.5)

    def forward(self, batch: TermBatch) -> Float[Tensor, "rows dim"]:
        """Encode texts into unit vectors; a text without n-grams gets the learnt missing vector."""
        weight = nn.functional.dropout(batch.weight, self.dropout, self.training)
        summed = self.table(batch.bucket, batch.offsets, per_sample_weights=weight)
        # Without n-grams, or with all of them hidden.
        empty = ~summed.detach().any(1, keepdim=True)
        return nn.functional.normalize(torch.where(empty, self.missing.to(summed.dtype), summed), dim=1)
