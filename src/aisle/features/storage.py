"""Features on disk: plain `.npy` arrays, read memory-mapped."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aisle.features.context import Context
from aisle.features.featuriser import Features
from aisle.features.terms import Terms
from aisle.features.tokens import Tokens

__all__ = ["read_features", "write_features"]


def write_features(features: Features, folder: Path) -> None:
    """Write features into a folder that is made for them.

    Neighbours and histories are not among them: they belong to a snapshot of the log, not to a text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if features.terms is not None:
        np.save(folder / "term_offsets.npy", features.terms.offsets)
        np.save(folder / "term_bucket.npy", features.terms.bucket)
        np.save(folder / "term_weight.npy", features.terms.weight)
    if features.tokens is not None:
        np.save(folder / "token_ids.npy", features.tokens.ids)
        np.save(folder / "token_length.npy", features.tokens.length)
    if features.context is not None:
        np.save(folder / "context_ids.npy", features.context.ids)


def read_features(folder: Path, *, pooled: Path | None = None) -> Features:
    """Map what `write_features` wrote into memory; rows are read from disk as they are taken.

    Args:
        folder: Where it was written.
        pooled: File of one float16 vector per row, which stands in the place of the tokens.
    """

    def mapped(name: str) -> np.ndarray:
        return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)

    def has(name: str) -> bool:
        return (folder / f"{name}.npy").exists()

    return Features(
        terms=Terms(mapped("term_offsets"), mapped("term_bucket"), mapped("term_weight"))
        if has("term_offsets")
        else None,
        tokens=Tokens(mapped("token_ids"), mapped("token_length")) if has("token_ids") and pooled is None else None,
        context=Context(mapped("context_ids")) if has("context_ids") else None,
        pooled=np.load(pooled, mmap_mode="r", allow_pickle=False) if pooled is not None else None,
    )
