"""What the encoders read: tensors made from features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from aisle.features import Terms, Tokens

__all__ = ["TermBatch", "TokenBatch", "term_batch", "token_batch"]


@dataclass(frozen=True)
class TermBatch:
    """Ragged rows of hashed n-grams, as `torch.nn.EmbeddingBag` reads them."""

    bucket: Int64[Tensor, " ngrams"]
    weight: Float[Tensor, " ngrams"]
    offsets: Int64[Tensor, " rows_plus_1"]


@dataclass(frozen=True)
class TokenBatch:
    """Padded token ids; `real` tells tokens from padding."""

    ids: Int64[Tensor, "rows tokens"]
    real: Bool[Tensor, "rows tokens"]


def term_batch(terms: Terms, device: torch.device) -> TermBatch:
    """Copy term features to a device."""
    return TermBatch(
        bucket=_tensor(terms.bucket, np.int64).to(device),
        weight=_tensor(terms.weight, np.float32).to(device),
        offsets=_tensor(terms.offsets, np.int64).to(device),
    )


def token_batch(tokens: Tokens, device: torch.device) -> TokenBatch:
    """Copy token features to a device, cut to the longest row."""
    longest = int(tokens.length.max(initial=1))
    length = _tensor(tokens.length, np.int64)
    return TokenBatch(
        ids=_tensor(tokens.ids[:, :longest], np.int64).to(device),
        real=(torch.arange(longest) < length[:, None]).to(device),
    )


def _tensor(array: np.ndarray, dtype: type[np.generic]) -> Tensor:
    """Convert an array; one that is mapped from disk is copied, since torch takes writable memory alone."""
    return torch.from_numpy(np.require(array, dtype, requirements="W"))
