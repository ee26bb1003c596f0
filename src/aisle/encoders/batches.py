"""What the encoders read: tensors made from features."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from aisle.features import Context, Terms, Tokens

__all__ = ["HistoryBatch", "NeighbourBatch", "TermBatch", "TokenBatch", "context_batch", "term_batch", "token_batch"]


@dataclass(frozen=True)
class TermBatch:
    """Ragged rows of hashed n-grams, as `torch.nn.EmbeddingBag` reads them."""

    bucket: Int64[Tensor, " ngrams"]
    weight: Float[Tensor, " ngrams"]
    offsets: Int64[Tensor, " rows_plus_1"]


@dataclass(frozen=True)
class TokenBatch:
    """Padded token ids of distinct texts; `real` tells tokens from padding.

    `place` is where the text of each row stands among them; None: every row has its own.
    """

    ids: Int64[Tensor, "texts tokens"]
    real: Bool[Tensor, "texts tokens"]
    place: Int64[Tensor, " rows"] | None = None


@dataclass(frozen=True)
class NeighbourBatch:
    """Vectors of each row's neighbours, looked up; `real` tells neighbours from padding.

    `index` is where each stands in its vector table, for rows that are learnt; None: nobody asks.
    """

    vectors: Float[Tensor, "rows neighbours table_dim"]
    weight: Float[Tensor, "rows neighbours"]
    real: Bool[Tensor, "rows neighbours"]
    index: Int64[Tensor, "rows neighbours"] | None = None


@dataclass(frozen=True)
class HistoryBatch:
    """Vectors, stages and ages of each row's past events; `real` tells events from padding.

    An event whose query or product has no vector is not `query_known` or not `product_known`.
    """

    query: Float[Tensor, "rows events query_dim"]
    query_known: Bool[Tensor, "rows events"]
    product: Float[Tensor, "rows events product_dim"]
    product_known: Bool[Tensor, "rows events"]
    stage: Int64[Tensor, "rows events"]
    age_s: Float[Tensor, "rows events"]
    real: Bool[Tensor, "rows events"]


def term_batch(terms: Terms, device: torch.device) -> TermBatch:
    """Copy term features to a device."""
    return TermBatch(
        bucket=_tensor(terms.bucket, np.int64).to(device),
        weight=_tensor(terms.weight, np.float32).to(device),
        offsets=_tensor(terms.offsets, np.int64).to(device),
    )


def token_batch(tokens: Tokens, device: torch.device) -> TokenBatch:
    """Copy token features to a device, cut to the longest row; a text that stands in several rows is copied once."""
    distinct, place = np.unique(tokens.first_places(), return_inverse=True)
    is_repeated = len(distinct) < len(tokens)
    if is_repeated:
        tokens = tokens.take(distinct)
    longest = int(tokens.length.max(initial=1))
    length = _tensor(tokens.length, np.int64)
    return TokenBatch(
        ids=_tensor(tokens.ids[:, :longest], np.int64).to(device),
        real=(torch.arange(longest) < length[:, None]).to(device),
        place=_tensor(place, np.int64).to(device) if is_repeated else None,
    )


def context_batch(context: Context, device: torch.device) -> Int64[Tensor, "rows slots"]:
    """Copy context features to a device."""
    return _tensor(context.ids, np.int64).to(device)


def _tensor(array: np.ndarray, dtype: type[np.generic]) -> Tensor:
    """Convert an array; one that is mapped from disk is copied, since torch takes writable memory alone."""
    return torch.from_numpy(np.require(array, dtype, requirements="W"))
