"""The text part: a transformer, mean pooling, a projection, on the unit sphere."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor, nn

from aisle.core.errors import ConfigError, ModelError
from aisle.encoders.batches import TokenBatch
from aisle.encoders.config import TextEncoderConfig
from aisle.encoders.precision import bf16_autocast
from aisle.encoders.pretrained import PretrainedTransformer
from aisle.encoders.projection import principal_rows
from aisle.encoders.transformer import SmallTransformer

__all__ = ["TextEncoder", "build_text_encoder", "pool_mean"]

_TOKENS_AT_ONCE = 2048
"""Tokens of a block: what passes from layer to layer stays in the processor's cache, and little padding is encoded."""


class TextEncoder(nn.Module):
    """Encodes tokens into unit vectors; query and product share transformer and projection.

    Args:
        transformer: Small or pre-trained.
        dim: Dimensions of the output.
        frozen: Whether the transformer's weights stay as they are, without gradients and without drop-out.

    Attributes:
        bf16: Whether the transformer runs in bfloat16 outside training too, where the device multiplies it fast.
    """

    def __init__(
        self, transformer: SmallTransformer | PretrainedTransformer, dim: int, *, frozen: bool = False
    ) -> None:
        super().__init__()
        self.dim = dim
        self.bf16 = False
        self.frozen = frozen
        self.transformer = transformer.requires_grad_(not frozen)
        self.projection = nn.Linear(transformer.hidden_dim, dim, bias=False)

    def train(self, mode: bool = True) -> TextEncoder:
        """Switch drop-out on or off; a frozen transformer never has any."""
        super().train(mode)
        if self.frozen:
            self.transformer.eval()
        return self

    def pooled(self, batch: TokenBatch) -> Float[Tensor, "rows hidden"]:
        """Encode texts up to mean pooling, before the projection; on a CPU in blocks of texts of like length.

        A text that stands in several rows is encoded once, so its rows share what drop-out hides.
        """
        pooled = self._pooled_texts(batch)
        return pooled if batch.place is None else pooled.index_select(0, batch.place)

    def _pooled_texts(self, batch: TokenBatch) -> Float[Tensor, "texts hidden"]:
        with bf16_autocast(batch.ids.device, enabled=True) if self.bf16 else nullcontext():
            if not _worth_cutting(batch):
                return self._pooled(self.transformer.token_vectors(batch.ids), batch.real)
            order, blocks = _blocks_by_length(batch)
            # One look-up for all blocks: the gradient of each would be as large as the whole table.
            vectors = self.transformer.token_vectors(torch.cat([block.ids.flatten() for block in blocks]))
            pieces = torch.split(vectors, [block.ids.numel() for block in blocks])
            pooled = [
                self._pooled(piece.view(*block.ids.shape, -1), block.real)
                for piece, block in zip(pieces, blocks, strict=True)
            ]
            return torch.cat(pooled).index_select(0, order.argsort())

    def _pooled(
        self, vectors: Float[Tensor, "rows tokens width"], real: Bool[Tensor, "rows tokens"]
    ) -> Float[Tensor, "rows hidden"]:
        return pool_mean(self.transformer.in_context(vectors, real), real)

    def forward(self, batch: TokenBatch) -> Float[Tensor, "rows dim"]:
        """Encode texts into unit vectors."""
        return self.project(self.pooled(batch))

    def project(self, pooled: Float[Tensor, "rows hidden"]) -> Float[Tensor, "rows dim"]:
        """Do the rest of the way from pooled vectors, computed now or stored; their lengths make no difference."""
        return nn.functional.normalize(self.projection(pooled).float(), dim=1)

    @torch.no_grad()
    def start_projection_from(self, pooled: Float[Tensor, "texts hidden"]) -> None:
        """Set the projection to the main directions of pre-trained vectors (PCA without centring).

        Query and product then start with nearly the similarities of the checkpoint; random projections would lose them
        (recall@100 of .02 where a shared PCA start has .86).

        Args:
            pooled: Pooled vectors of some of the catalogue's texts.
        """
        self.projection.weight.copy_(principal_rows(pooled, self.dim))


def pool_mean(
    hidden: Float[Tensor, "rows tokens hidden"], real: Bool[Tensor, "rows tokens"]
) -> Float[Tensor, "rows hidden"]:
    """Average token vectors, padding left out; a row without tokens is zero."""
    keep = real.unsqueeze(2)
    # In float32 under autocast too: a sum of many tokens would lose digits.
    return (hidden * keep.to(hidden.dtype)).sum(1, dtype=torch.float32) / keep.sum(1).clamp_min(1)


def _worth_cutting(batch: TokenBatch) -> bool:
    """Tell whether a batch is so large, on a CPU, that padding costs more than blocks do."""
    return batch.ids.device.type == "cpu" and not torch.compiler.is_compiling() and batch.ids.numel() > _TOKENS_AT_ONCE


def _blocks_by_length(batch: TokenBatch) -> tuple[Int64[Tensor, " rows"], list[TokenBatch]]:
    """Sort rows by length and cut them into blocks of about as many tokens, each as wide as its longest row.

    Returns:
        Rows in the order of the blocks, and the blocks.
    """
    length = batch.real.sum(1)
    order = length.argsort(stable=True)
    sizes = length[order].tolist()
    blocks, end = [], len(sizes)
    while end:
        longest = max(1, sizes[end - 1])
        begin = max(0, end - max(1, _TOKENS_AT_ONCE // longest))
        rows = order[begin:end]
        blocks.append(TokenBatch(batch.ids[rows, :longest], batch.real[rows, :longest]))
        end = begin
    return order, blocks[::-1]


def build_text_encoder(
    config: TextEncoderConfig,
    *,
    dim: int,
    vocabulary_size: int,
    max_tokens: int,
    saved_architecture: Path | None = None,
) -> TextEncoder:
    """Build the text part of a recipe.

    Args:
        config: Settings.
        dim: Dimensions of the output.
        vocabulary_size: Distinct token ids of the tokenizer.
        max_tokens: Longest text, in tokens.
        saved_architecture: Folder of a saved model's transformer config; its weights are loaded later.

    Raises:
        ConfigError: If the heads do not divide the width, or texts may be longer than the checkpoint can read.
        ModelError: If the checkpoint or the saved architecture cannot be loaded, or has fewer rows than its tokenizer
            has tokens.
    """
    if config.init is not None:
        built = PretrainedTransformer.from_config(saved_architecture) if saved_architecture else None
        pretrained = built or PretrainedTransformer.from_checkpoint(config.init)
        if max_tokens > pretrained.max_tokens:
            raise ConfigError(
                "The checkpoint of text.init or pretrain.init must be able to read the longest text",
                received={"longest text": max_tokens, "longest of the checkpoint": pretrained.max_tokens},
                remedy="Lower features.tokens.max_product_tokens and max_query_tokens.",
            )
        if vocabulary_size > pretrained.num_tokens:
            raise ModelError(
                "The table of a checkpoint must have a row for every token of its tokenizer",
                received={"checkpoint": config.init, "tokens": vocabulary_size, "rows": pretrained.num_tokens},
                remedy="Give a checkpoint with the tokenizer that it was trained with.",
            )
        return TextEncoder(pretrained, dim, frozen=config.frozen)
    if config.hidden_dim % config.num_heads:
        raise ConfigError(
            "text.hidden_dim must be a multiple of text.num_heads",
            received={"text.hidden_dim": config.hidden_dim, "text.num_heads": config.num_heads},
            remedy="Change one of them.",
        )
    transformer = SmallTransformer(
        vocabulary_size,
        hidden_dim=config.hidden_dim,
        num_layers=config.num_layers,
        num_heads=config.num_heads,
        max_tokens=max_tokens,
        dropout=config.dropout,
    )
    return TextEncoder(transformer, dim)
