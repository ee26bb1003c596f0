"""The context part: embeddings of a product's fields, summed, on the unit sphere; location also of the search."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from aisle.encoders.summed_rows import SummedRows

__all__ = ["ContextEncoder"]


class ContextEncoder(nn.Module):
    """Embeds rows of the context table; searches share the rows of locations with products.

    A product is the sum of its slots plus a correction that starts at zero, so that at the start products of one
    category and brand lie near each other, and a search near the products of its location. A slot's missing value is a
    row of its own, learnt like any other.

    Args:
        num_rows: Rows of the table, of all slots together.
        dim: Dimensions of the output.
        hidden_dim: Width of the correction's hidden layer.
        reads_past: Whether searches start from the contexts of the actor's past products too.
        sparse: Whether gradients touch only the rows of the batch.

    Source: Etsy's unified embedding has location, taxonomy and shop beside the text (Jha et al. 2023, section 3); that
    they are summed from one table is ours.
    """

    def __init__(
        self, num_rows: int, dim: int, *, hidden_dim: int, reads_past: bool = False, sparse: bool = True
    ) -> None:
        super().__init__()
        self.dim = dim
        self.table = SummedRows(num_rows, dim, sparse=sparse)
        nn.init.normal_(self.table.weight, std=dim**-0.5)
        # A search of which nothing is known: not the products' missing location, which would draw it to them.
        self.missing = nn.Parameter(torch.randn(dim) * dim**-0.5)
        last = nn.Linear(hidden_dim, dim, bias=False)
        nn.init.zeros_(last.weight)
        self.correction = nn.Sequential(nn.Linear(dim, hidden_dim), nn.GELU(), last)
        # The identity: past products lie in the space of products, so that their brand meets its own at once.
        self.past = nn.Linear(dim, dim, bias=False) if reads_past else None
        if self.past is not None:
            nn.init.eye_(self.past.weight)

    def forward(self, ids: Int64[Tensor, "rows slots"]) -> Float[Tensor, "rows dim"]:
        """Encode products into unit vectors."""
        offsets = torch.arange(len(ids) + 1, device=ids.device) * ids.shape[1]
        summed = self.table(ids.flatten(), offsets)
        return nn.functional.normalize((summed + self.correction(summed)).float(), dim=1)

    def searches(
        self, ids: Int64[Tensor, "rows fields"], past: Float[Tensor, "rows dim"] | None = None
    ) -> Float[Tensor, "rows dim"]:
        """Encode what is known of searches into unit vectors.

        Args:
            ids: Location and device; a field that is not known is negative.
            past: Mean vector of the actor's past products, zero where there are none.
        """
        known = ids >= 0
        count = known.sum(1)
        offsets = torch.cat([count.new_zeros(1), count.cumsum(0)])
        summed, is_known = self.table(ids[known], offsets), (count > 0)[:, None]
        if self.past is not None and past is not None:
            summed, is_known = summed + self.past(past), is_known | (past != 0).any(1, keepdim=True)
        return nn.functional.normalize(torch.where(is_known, summed, self.missing).float(), dim=1)

    def unknown(self, num_rows: int) -> Float[Tensor, "rows dim"]:
        """Return what stands for searches of which no location and no device is known."""
        return nn.functional.normalize(self.missing.float(), dim=0).expand(num_rows, -1)
