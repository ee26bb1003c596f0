"""What stands behind the encoder while it is pre-trained, and is thrown away afterwards."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

__all__ = ["QueryWriter", "TokenGuesser", "next_tokens"]


class TokenGuesser(nn.Module):
    """Turns hidden states into scores of all tokens, through the encoder's own table.

    Args:
        hidden_dim: Width of the hidden states.
        table_dim: Width of the table.
        vocabulary_size: Rows of the table.

    Source: Devlin et al. 2019; Press and Wolf 2017 (the table serves input and output).
    """

    def __init__(self, hidden_dim: int, *, table_dim: int, vocabulary_size: int) -> None:
        super().__init__()
        self.dense = nn.Sequential(nn.Linear(hidden_dim, table_dim), nn.GELU(), nn.LayerNorm(table_dim))
        self.bias = nn.Parameter(torch.zeros(vocabulary_size))

    def forward(
        self, hidden: Float[Tensor, "tokens hidden"], table: Float[Tensor, "vocabulary table"]
    ) -> Float[Tensor, "tokens vocabulary"]:
        """Score every token of the vocabulary."""
        return nn.functional.linear(self.dense(hidden), table, self.bias)


class QueryWriter(nn.Module):
    """Decoder that writes a query token by token, attending to the encoded product text.

    Args:
        hidden_dim: Width of the encoder.
        table_dim: Width of the encoder's table, which it shares.
        num_layers: Layers.
        num_heads: Attention heads; they divide the width.
        max_tokens: Longest query, in tokens.
        dropout: Drop-out while training.

    Source: Vaswani et al. 2017 (decoder); Nogueira and Lin 2019 (docT5query: from document to query).
    """

    def __init__(
        self, hidden_dim: int, *, table_dim: int, num_layers: int, num_heads: int, max_tokens: int, dropout: float
    ) -> None:
        super().__init__()
        self.enter = nn.Linear(table_dim, hidden_dim)
        self.positions = nn.Parameter(torch.randn(max_tokens, hidden_dim) * 0.02)
        layer = nn.TransformerDecoderLayer(
            hidden_dim, num_heads, 4 * hidden_dim, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        self.decoder = nn.TransformerDecoder(layer, num_layers, norm=nn.LayerNorm(hidden_dim))

    def forward(
        self,
        tokens: Float[Tensor, "rows written table"],
        written: Bool[Tensor, "rows written"],
        memory: Float[Tensor, "rows tokens hidden"],
        real: Bool[Tensor, "rows tokens"],
    ) -> Float[Tensor, "rows written hidden"]:
        """Return the state behind each written token, which sees the tokens up to it and the whole product text.

        Args:
            tokens: Vectors of the written tokens, from the encoder's table.
            written: Which of them are no padding.
            memory: The encoded product text.
            real: Which of its tokens are no padding.
        """
        num_written = tokens.shape[1]
        later = torch.ones(num_written, num_written, dtype=torch.bool, device=tokens.device).triu(1)
        # The CPU's flash attention takes longer backwards than the matrix products do at a few tokens.
        with sdpa_kernel(SDPBackend.MATH):
            states: Tensor = self.decoder(
                self.enter(tokens) + self.positions[:num_written],
                memory,
                tgt_mask=later,
                tgt_key_padding_mask=~written,
                memory_key_padding_mask=~real,
            )
        return states


def next_tokens(
    ids: Int64[Tensor, "rows tokens"], real: Bool[Tensor, "rows tokens"]
) -> tuple[Int64[Tensor, "rows written"], Bool[Tensor, "rows written"], Int64[Tensor, " targets"]]:
    """Cut texts into what is written, and the token that follows each.

    Returns:
        Written tokens, which of them are followed by one, and those that follow, row by row.
    """
    followed = real[:, 1:]
    return ids[:, :-1], followed, ids[:, 1:][followed]
