"""A small transformer from scratch, made for short texts on a CPU."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from aisle.encoders.dropout import Dropout

__all__ = ["SmallTransformer", "TransformerLayer"]


class SmallTransformer(nn.Module):
    """Pre-norm transformer encoder (Vaswani et al. 2017; Xiong et al. 2020 for the place of the norm).

    Args:
        vocabulary_size: Distinct token ids.
        hidden_dim: Width, a multiple of `num_heads`.
        num_layers: Layers.
        num_heads: Attention heads.
        max_tokens: Longest text, in tokens.
        dropout: Drop-out after attention and after the feed-forward layer.
    """

    def __init__(
        self,
        vocabulary_size: int,
        *,
        hidden_dim: int,
        num_layers: int,
        num_heads: int,
        max_tokens: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.hidden_dim = hidden_dim
        self.tokens = nn.Embedding(vocabulary_size, hidden_dim)
        self.positions = nn.Parameter(torch.randn(max_tokens, hidden_dim) * 0.02)
        nn.init.normal_(self.tokens.weight, std=0.02)
        self.layers = nn.ModuleList(TransformerLayer(hidden_dim, num_heads, dropout) for _ in range(num_layers))
        self.norm = nn.LayerNorm(hidden_dim)

    def token_vectors(self, ids: Int64[Tensor, "*shape"]) -> Float[Tensor, "*shape hidden"]:
        """Look up the vectors of tokens, before any context."""
        vectors: Tensor = self.tokens(ids)
        return vectors

    def forward(
        self, ids: Int64[Tensor, "rows tokens"], real: Bool[Tensor, "rows tokens"]
    ) -> Float[Tensor, "rows tokens hidden"]:
        """Encode every token in its context; what stands at padding is meaningless."""
        return self.in_context(self.token_vectors(ids), real)

    def in_context(
        self, vectors: Float[Tensor, "rows tokens hidden"], real: Bool[Tensor, "rows tokens"]
    ) -> Float[Tensor, "rows tokens hidden"]:
        """Encode tokens whose own vectors are looked up already; what stands at padding is meaningless."""
        hidden = vectors + self.positions[: vectors.shape[1]]
        for layer in self.layers:
            hidden = layer(hidden, real)
        return self.norm(hidden)


class TransformerLayer(nn.Module):
    """One layer: attention and a feed-forward network, each added to its input.

    Args:
        hidden_dim: Width, a multiple of `num_heads`.
        num_heads: Attention heads.
        dropout: Drop-out after each of the two.
    """

    def __init__(self, hidden_dim: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.attention_norm = nn.LayerNorm(hidden_dim)
        self.query_key_value = nn.Linear(hidden_dim, 3 * hidden_dim)
        self.out = nn.Linear(hidden_dim, hidden_dim)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(hidden_dim),
            nn.Linear(hidden_dim, 4 * hidden_dim),
            nn.GELU(),
            nn.Linear(4 * hidden_dim, hidden_dim),
        )
        self.dropout = Dropout(dropout)

    def forward(
        self, hidden: Float[Tensor, "rows tokens hidden"], real: Bool[Tensor, "rows tokens"]
    ) -> Float[Tensor, "rows tokens hidden"]:
        """Let every place attend to the real ones; what stands at padding is meaningless."""
        hidden = hidden + self._dropped(self.out(self._attend(self.attention_norm(hidden), real)))
        return hidden + self._dropped(self.feed_forward(hidden))

    def _dropped(self, hidden: Float[Tensor, "rows tokens hidden"]) -> Float[Tensor, "rows tokens hidden"]:
        # A module that does nothing in serving would still cost as much as a small matrix product.
        return self.dropout(hidden) if self.training else hidden

    def _attend(
        self, hidden: Float[Tensor, "rows tokens hidden"], real: Bool[Tensor, "rows tokens"]
    ) -> Float[Tensor, "rows tokens hidden"]:
        # Two matrix products by hand: the backward pass of the CPU flash-attention kernel takes 45 % of a step here.
        rows, tokens, width = hidden.shape
        heads = self.query_key_value(hidden).view(rows, tokens, 3, self.num_heads, width // self.num_heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        logits = query @ key.transpose(-1, -2) * (width // self.num_heads) ** -0.5
        logits = logits.masked_fill(~real[:, None, None, :], torch.finfo(logits.dtype).min)
        attended = logits.softmax(-1).to(value.dtype) @ value
        return attended.transpose(1, 2).reshape(rows, tokens, width)
