"""Pooled vectors of a frozen transformer, stored once: training then reads them instead of encoding texts again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Int64
from torch import nn

from aisle.core.progress import Advance
from aisle.encoders.batches import token_batch
from aisle.encoders.text import TextEncoder
from aisle.features import Tokens

__all__ = ["write_pooled"]

_TEXTS_AT_ONCE = 512


@torch.inference_mode()
def write_pooled(
    text: TextEncoder, tokens: Tokens, path: Path, *, places: Int64[np.ndarray, " rows"], advance: Advance
) -> None:
    """Encode texts up to mean pooling and write one float16 vector of each, as an `.npy` file that can be mapped.

    The vectors are written at unit length. The projection behind them is linear and its result is taken at unit length
    again, so theirs changes neither a vector nor a gradient, and at length 1 no checkpoint's numbers leave float16.

    Args:
        text: Its transformer encodes; the projection is not read.
        tokens: The texts.
        path: File that is written.
        places: `Tokens.first_places`: each distinct text is encoded once.
        advance: Is told how many texts were encoded.
    """
    text.eval()
    device = text.projection.weight.device
    shape = (len(tokens), text.transformer.hidden_dim)
    pooled = np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
    is_first = places == np.arange(len(places))
    distinct = np.flatnonzero(is_first)
    for start in range(0, len(distinct), _TEXTS_AT_ONCE):
        rows = distinct[start : start + _TEXTS_AT_ONCE]
        vectors = text.pooled(token_batch(tokens.take(rows), device)).float()
        pooled[rows] = nn.functional.normalize(vectors, dim=1).cpu().numpy()
        advance(len(rows))
    copies = np.flatnonzero(~is_first)
    for start in range(0, len(copies), _TEXTS_AT_ONCE):
        rows = copies[start : start + _TEXTS_AT_ONCE]
        pooled[rows] = pooled[places[rows]]
    pooled.flush()
