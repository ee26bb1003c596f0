"""The history channel: a one-layer transformer over what the actor did before, attended by the query."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from aisle.encoders.batches import HistoryBatch
from aisle.encoders.transformer import TransformerLayer
from aisle.tables import Stage

__all__ = ["HistoryEncoder", "age_buckets", "mean_past_context"]

_NUM_AGES = 24


class HistoryEncoder(nn.Module):
    """Encodes the past events of a query's actor.

    An event is the sum of its query, its product, its stage and its age; there is no position, so order matters through
    age alone. Events of unknown queries and products, and actors without events, have learnt vectors.

    Args:
        query_dim: Dimensions of queries' vectors.
        product_dim: Dimensions of products' vectors.
        own_dim: Dimensions of the query that attends.
        dim: Width of the transformer and of the output, a multiple of `num_heads`.
        num_heads: Attention heads.
        dropout: Drop-out in the transformer.

    Source: history as a channel of the query side after Wang et al. 2023 (JD); the shape of the encoder is ours.
    """

    def __init__(
        self, *, query_dim: int, product_dim: int, own_dim: int, dim: int, num_heads: int, dropout: float
    ) -> None:
        super().__init__()
        self.dim = dim
        self.query = nn.Linear(query_dim, dim, bias=False)
        self.product = nn.Linear(product_dim, dim, bias=False)
        self.missing_query = nn.Parameter(torch.randn(dim) * dim**-0.5)
        self.missing_product = nn.Parameter(torch.randn(dim) * dim**-0.5)
        self.stage_embeddings = nn.Embedding(len(Stage), dim)
        self.age_embeddings = nn.Embedding(_NUM_AGES, dim)
        for table in (self.stage_embeddings, self.age_embeddings):
            nn.init.normal_(table.weight, std=dim**-0.5)
        self.layer = TransformerLayer(dim, num_heads, dropout)
        self.norm = nn.LayerNorm(dim)
        self.own = nn.Linear(own_dim, dim, bias=False)
        self.out = nn.Linear(dim, dim, bias=False)
        self.missing = nn.Parameter(torch.randn(dim) * dim**-0.5)

    def forward(self, batch: HistoryBatch, *, own: Float[Tensor, "rows own_dim"]) -> Float[Tensor, "rows dim"]:
        """Encode histories into unit vectors; an actor without events gets the learnt missing vector.

        Args:
            batch: Events of every row.
            own: Vectors of the queries that are searched for now.
        """
        known = batch.real.any(1)
        # Most of a shop's searches come from actors without a past: only the others are computed.
        rows = known.nonzero().squeeze(1)
        found = self.unknown(len(known))
        if len(rows) == 0:
            return found
        events = self.norm(self.layer(self._events(batch, rows), batch.real[rows]))
        pooled = self._attended(events, batch.real[rows], self.own(own[rows]))
        encoded = nn.functional.normalize(self.out(pooled).float(), dim=1)
        return found.index_copy(0, rows, encoded)

    def unknown(self, num_rows: int) -> Float[Tensor, "rows dim"]:
        """Return what stands for actors of whom nothing is known."""
        return nn.functional.normalize(self.missing.float(), dim=0).expand(num_rows, -1)

    def _events(self, batch: HistoryBatch, rows: Int64[Tensor, " rows"]) -> Float[Tensor, "rows events dim"]:
        """Embed the events of some rows; only real ones are projected."""
        real = batch.real[rows]
        row, event = real.nonzero(as_tuple=True)
        place = rows[row], event
        query = torch.where(batch.query_known[place][:, None], self.query(batch.query[place]), self.missing_query)
        product = torch.where(
            batch.product_known[place][:, None], self.product(batch.product[place]), self.missing_product
        )
        embedded = self.stage_embeddings(batch.stage[place]) + self.age_embeddings(age_buckets(batch.age_s[place]))
        summed = (query + product).to(embedded.dtype) + embedded
        return summed.new_zeros((*real.shape, self.dim)).index_put((row, event), summed)

    def _attended(
        self,
        events: Float[Tensor, "rows events dim"],
        real: Bool[Tensor, "rows events"],
        own: Float[Tensor, "rows dim"],
    ) -> Float[Tensor, "rows dim"]:
        logits = (events @ own.to(events.dtype)[:, :, None]).squeeze(2).float() * self.dim**-0.5
        share = logits.masked_fill(~real, torch.finfo(logits.dtype).min).softmax(1)
        return (share.to(events.dtype)[:, None] @ events).squeeze(1)


def mean_past_context(batch: HistoryBatch, context_dim: int) -> Float[Tensor, "rows context_dim"]:
    """Average the trailing, context dimensions of each row's known past products; zero where there are none."""
    keep = (batch.real & batch.product_known).unsqueeze(2).float()
    context = batch.product[..., batch.product.shape[2] - context_dim :]
    return torch.where(keep > 0, context, 0.0).sum(1) / keep.sum(1).clamp_min(1)


def age_buckets(age_s: Float[Tensor, "*shape"]) -> Int64[Tensor, "*shape"]:
    """Return the bucket of an age in seconds: 0 under a minute, then one per doubling, the last from about 8 years.

    >>> age_buckets(torch.tensor([0.0, 59.0, 61.0, 86_400.0])).tolist()
    [0, 0, 1, 10]
    """
    return (age_s.float() / 60 + 1).clamp_min(1).log2().floor().long().clamp(0, _NUM_AGES - 1)
