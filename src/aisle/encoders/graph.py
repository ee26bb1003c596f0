"""The graph part: the neighbours of a query (products) or of a product (queries), pooled into one unit vector."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from aisle.core.errors import ShapeError
from aisle.encoders.batches import NeighbourBatch
from aisle.encoders.projection import principal_rows

__all__ = ["GraphEncoder"]

Side = Literal["query", "product"]
_OTHER: dict[Side, Side] = {"query": "product", "product": "query"}


class GraphEncoder(nn.Module):
    """Pools vectors of neighbours, then projects them.

    Both sides share the projection of what queries and products have in common (term, and text where it reads queries),
    so that a query whose buyers took a product lies near that product at the start; what only products have (context,
    else text too) is added by a projection that starts at zero. The missing vectors of the two sides are apart: else a
    new query would be drawn to every cold product.

    Attention weighs a neighbour by `weight · exp(⟨A x, v⟩)`, x the row's own vector, v the neighbour's, and A starts at
    zero: training starts from the weighted mean.

    Every known query and product may have a learnt row beside its vector, added to the projected mean by the same
    weights. Rows start at zero, so that training starts as without them, and stay there for what is never a neighbour
    in training; a neighbour that came later has none. Attention does not look at them.

    A row is a weight like any other: it learns from all searches of the training window, so in an example of an early
    slice it may know what was bought in a later one. It cannot hand an example its own click: neighbours are those of
    the snapshot before the example's slice, and a step's gradient comes after its scores. What it can do is to learn
    pairs by heart over epochs, as the table of n-grams can; drop-out of neighbours and the early stop hold against it.

    Args:
        word_dim: Leading dimensions of every neighbour's vector that queries and products share.
        context_dim: Further dimensions of products' vectors.
        dim: Dimensions of the output.
        pooling: Weighted mean, or attention by the row's own vector.
        dropout: Share of neighbours hidden in training.
        row_dropout: Share of rows without any neighbour in training.
        num_learnt: Known queries and known products that have learnt rows; None: nothing has.

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
        num_learnt: tuple[int, int] | None = None,
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
        names: tuple[Side, Side] = ("query", "product")
        sizes = zip(names, num_learnt, strict=True) if num_learnt is not None else ()
        self.learnt = nn.ModuleDict({name: _rows_at_zero(size, dim) for name, size in sizes})

    @property
    def table_dim(self) -> int:
        """Dimensions of the vectors of a query's neighbours, which are products."""
        return self.word_dim + (self.context.in_features if self.context is not None else 0)

    def learnt_rows(self, side: Side) -> Float[Tensor, "rows dim"] | None:
        """Return the learnt rows of queries or of products, as neighbours; None where none are learnt."""
        table = self.learnt[side] if self.learnt else None
        return table.weight if isinstance(table, nn.EmbeddingBag) else None

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
        share = self._shares(batch, real, own)
        with torch.autocast(batch.vectors.device.type, enabled=False):
            pooled = (share[:, None] @ batch.vectors).squeeze(1)
        projected = self.projection(pooled[:, : self.word_dim])
        if side == "query" and self.context is not None:
            projected = projected + self.context(pooled[:, self.word_dim :])
        if self.learnt:
            projected = projected + self._learnt(batch, share, real, _OTHER[side])
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

    def _shares(
        self, batch: NeighbourBatch, real: Bool[Tensor, "rows neighbours"], own: Float[Tensor, "rows word_dim"]
    ) -> Float[Tensor, "rows neighbours"]:
        # In float32 under autocast too: the weights of a row span orders of magnitude.
        with torch.autocast(batch.vectors.device.type, enabled=False):
            logits = batch.weight.clamp_min(1e-12).log()
            if self.attention is not None:
                asked = self.attention(own.float())
                logits = logits + (batch.vectors[..., : self.word_dim] @ asked[:, :, None]).squeeze(2)
            return logits.masked_fill(~real, torch.finfo(logits.dtype).min).softmax(1)

    def _learnt(
        self,
        batch: NeighbourBatch,
        share: Float[Tensor, "rows neighbours"],
        real: Bool[Tensor, "rows neighbours"],
        neighbours: Side,
    ) -> Float[Tensor, "rows dim"]:
        """Average the learnt rows of neighbours; only those that count are looked up, so that no other row moves."""
        table = self.learnt[neighbours]
        if batch.index is None:
            raise ShapeError("Neighbours with learnt rows must tell where they stand", received={"index": None})
        found = real & (batch.index < table.num_embeddings)  # type: ignore[operator]
        count = found.sum(1)
        offsets = torch.cat([count.new_zeros(1), count.cumsum(0)])
        averaged: Tensor = table(batch.index[found], offsets, per_sample_weights=share[found])
        return averaged


def _rows_at_zero(num_rows: int, dim: int) -> nn.EmbeddingBag:
    """Make a table of rows at zero, whose gradients touch only the rows of a batch; nothing is drawn at random."""
    zero = torch.zeros(num_rows, dim)
    return nn.EmbeddingBag.from_pretrained(zero, freeze=False, mode="sum", sparse=True, include_last_offset=True)
