"""Pooled vectors of a frozen transformer, stored once: training then reads them instead of encoding texts again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from jaxtyping import Int64
from torch import nn

from aisle.core.progress import Advance
from aisle.encoders.batches import token_batch
from aisle.encoders.text import TextEncoder
from aisle.features import Tokens

__all__ = ["first_places", "write_pooled"]

_TEXTS_AT_ONCE = 512


def first_places(tokens: Tokens) -> Int64[np.ndarray, " rows"]:
    """Return, for every row, the first row that has the same tokens: its own number where it is the first itself.

    >>> tokens = Tokens(np.array([[7, 8], [7, 0], [7, 8]], np.int32), np.array([2, 1, 2]))
    >>> first_places(tokens).tolist()
    [0, 1, 0]
    """
    ids = np.require(tokens.ids, np.int32, requirements="C")
    rows = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(ids.itemsize * ids.shape[1]), len(ids), [None, pa.py_buffer(ids)]
    )
    number = rows.dictionary_encode().indices.to_numpy()
    _, first = np.unique(number, return_index=True)
    places: np.ndarray = first[number]
    return places


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
        places: `first_places` of the tokens: each distinct text is encoded once.
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
