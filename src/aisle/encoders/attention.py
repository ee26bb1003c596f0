"""Attention of Hugging Face encoders, with drop-out that costs little on a CPU."""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from aisle.encoders.dropout import Dropout

__all__ = ["with_cheap_attention"]

_NAME = "aisle_eager"


def with_cheap_attention(model: nn.Module) -> nn.Module:
    """Let a Hugging Face encoder attend as its `eager` implementation does, but for how drop-out is drawn.

    That implementation calls PyTorch's drop-out as a function, which `with_cheap_dropout` does not reach: a random
    number per pair of tokens, a twentieth of a training step of MiniLM. Without drop-out the result is the same to the
    bit. A model whose attention cannot be replaced stays as it is.
    """
    if not getattr(model, "_supports_attention_backend", False):
        return model
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import eager_mask

    AttentionInterface.register(_NAME, _attend)
    AttentionMaskInterface.register(_NAME, eager_mask)
    model.config._attn_implementation = _NAME  # type: ignore[union-attr]
    return model


def _attend(
    module: nn.Module,
    query: Float[Tensor, "rows heads tokens width"],
    key: Float[Tensor, "rows heads tokens width"],
    value: Float[Tensor, "rows heads tokens width"],
    attention_mask: Float[Tensor, "rows 1 tokens tokens"] | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Float[Tensor, "rows tokens heads width"], Float[Tensor, "rows heads tokens tokens"]]:
    """Do as `eager_attention_forward` of transformers, whose signature this is."""
    scale = query.shape[-1] ** -0.5 if scaling is None else scaling
    logits = query @ key.transpose(2, 3) * scale
    if attention_mask is not None:
        logits = logits + attention_mask
    share = nn.functional.softmax(logits, dim=-1)
    if dropout and module.training:
        share = Dropout(dropout)(share)
    return (share @ value).transpose(1, 2).contiguous(), share
