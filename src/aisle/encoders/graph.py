"""The graph part: the neighbours of a query (products) or of a product (queries), pooled into one unit vector."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from aisle.encoders.batches import NeighbourBatch
from aisle.encoders.projection import principal_rows

__all__ = ["GraphEncoder"]

Side = Literal["query", "product"]


class GraphEncoder(nn.Module):
    """Pools vectors of neighbours, then projects them.

    Both sides share the projection of what queries and products have in common (term and text), so that a query whose
    buyers took a product lies near that product at the start; what only products have (context) is added by a
    projection that starts at zero. The missing vectors of the two sides are apart: else a new query would be drawn to
    every cold product.

    Attention weighs a neighbour by `weight · exp(⟨A x, v⟩)`, x the row's own vector, v the neighbour's, and A starts at
    zero: training starts from the weighted mean.

    Args:
        word_dim: Leading dimensions of every neighbour's vector that queries and products share.
        context_dim: Further dimensions of products' vectors.
        dim: Dimensions of the output.
        pooling: Weighted mean, or attention by the row's own vector.
        dropout: Share of neighbours hidden in training.
        row_dropout: Share of rows without any neighbour in training.

    Source: neighbours of queries and products in the engagement graph after Jha et al. 2023, section 3; the pooling is
    ours.
    """

    def __init__(
        self,
        *,
        word_dim: int,
        context_dim: int,
        dim: int,
        pooling: Literal["mean", "attention"] = "mean",
        dropout: float = 0.0,
        row_dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.word_dim, self.dim = word_dim, dim
        self.dropout, self.row_dropout = dropout, row_dropout
        self.projection = nn.Linear(word_dim, dim, bias=False)
        nn.init.orthogonal_(self.projection.weight)
        self.context = nn.Linear(context_dim, dim, bias=False) if context_dim else None
        if self.context is not None:
            nn.init.zeros_(self.context.weight)
        self.attention = nn.Linear(word_dim, word_dim, bias=False) if pooling == "attention" else None
        if self.attention is not None:
            nn.init.zeros_(self.attention.weight)
        self.missing = nn.ParameterDict(
            {side: nn.Parameter(torch.randn(dim) * dim**-0.5) for side in ("query", "product")}
        )

    @property
    def table_dim(self) -> int:
        """Dimensions of the vectors of a query's neighbours, which are products."""
        return self.word_dim + (self.context.in_features if self.context is not None else 0)

    def forward(
        self, batch: NeighbourBatch, *, own: Float[Tensor, "rows word_dim"], side: Side
    ) -> Float[Tensor, "rows dim"]:
        """Encode rows into unit vectors; one without neighbours gets its side's missing vector.

        Args:
            batch: Vectors of neighbours: of products where `side` is query, of queries where it is product.
            own: The rows' own term and text vectors, which attention asks with.
            side: What the rows are.
        """
        real = self._kept(batch.real)
        pooled = self._pool(batch, real, own)
        projected = self.projection(pooled[:, : self.word_dim])
        if side == "query" and self.context is not None:
            projected = projected + self.context(pooled[:, self.word_dim :])
        filled = torch.where(real.any(1, keepdim=True), projected.float(), self.missing[side].float())
        return nn.functional.normalize(filled, dim=1)

    def unknown(self, num_rows: int, *, side: Side) -> Float[Tensor, "rows dim"]:
        """Return what stands for rows without neighbours."""
        return nn.functional.normalize(self.missing[side].float(), dim=0).expand(num_rows, -1)

    @torch.no_grad()
    def start_projection_from(self, vectors: Float[Tensor, "rows word_dim"]) -> None:
        """Set the shared projection to the main directions of known term and text vectors, which it then keeps."""
        self.projection.weight.copy_(principal_rows(vectors, self.dim))

    def _kept(self, real: Bool[Tensor, "rows neighbours"]) -> Bool[Tensor, "rows neighbours"]:
        """Hide neighbours while training, so that no part leans on them alone and the missing vectors learn."""
        if not self.training:
            return real
        kept = real & (torch.rand(real.shape, device=real.device) >= self.dropout)
        return kept & (torch.rand((len(real), 1), device=real.device) >= self.row_dropout)

    def _pool(
        self, batch: NeighbourBatch, real: Bool[Tensor, "rows neighbours"], own: Float[Tensor, "rows word_dim"]
    ) -> Float[Tensor, "rows table_dim"]:
        # In float32 under autocast too: the weights of a row span orders of magnitude.
        with torch.autocast(batch.vectors.device.type, enabled=False):
            logits = batch.weight.clamp_min(1e-12).log()
            if self.attention is not None:
                asked = self.attention(own.float())
                logits = logits + (batch.vectors[..., : self.word_dim] @ asked[:, :, None]).squeeze(2)
            share = logits.masked_fill(~real, torch.finfo(logits.dtype).min).softmax(1)
            return (share[:, None] @ batch.vectors).squeeze(1)
