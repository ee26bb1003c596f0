"""Features on disk: plain `.npy` arrays, read memory-mapped."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aisle.features.featuriser import Features
from aisle.features.terms import Terms
from aisle.features.tokens import Tokens

__all__ = ["read_features", "write_features"]


def write_features(features: Features, folder: Path) -> None:
    """Write features into a folder that is made for them."""
    folder.mkdir(parents=True, exist_ok=True)
    if features.terms is not None:
        np.save(folder / "term_offsets.npy", features.terms.offsets)
        np.save(folder / "term_bucket.npy", features.terms.bucket)
        np.save(folder / "term_weight.npy", features.terms.weight)
    if features.tokens is not None:
        np.save(folder / "token_ids.npy", features.tokens.ids)
        np.save(folder / "token_length.npy", features.tokens.length)


def read_features(folder: Path) -> Features:
    """Map what `write_features` wrote into memory; rows are read from disk as they are taken."""

    def mapped(name: str) -> np.ndarray:
        return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)

    has_terms, has_tokens = (folder / "term_offsets.npy").exists(), (folder / "token_ids.npy").exists()
    return Features(
        terms=Terms(mapped("term_offsets"), mapped("term_bucket"), mapped("term_weight")) if has_terms else None,
        tokens=Tokens(mapped("token_ids"), mapped("token_length")) if has_tokens else None,
    )
