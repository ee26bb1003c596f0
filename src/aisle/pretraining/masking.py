"""Which tokens are hidden, to be guessed."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Int64

from aisle.features import Tokens

__all__ = ["hide_tokens"]

_MASKED, _REPLACED = 0.8, 0.1


def hide_tokens(
    tokens: Tokens,
    *,
    share: float,
    mask_id: int,
    special_ids: Int64[np.ndarray, " special"],
    vocabulary_size: int,
    rng: np.random.Generator,
) -> tuple[Tokens, Bool[np.ndarray, "rows tokens"]]:
    """Choose tokens to be guessed: 80 % of them become the mask, 10 % any token, 10 % stay.

    What stays, or becomes another word, keeps the encoder from working at masks alone, which no text holds that it
    will read later.

    Args:
        tokens: Texts.
        share: Share of the tokens that are chosen, special ones apart.
        mask_id: The mask.
        special_ids: Tokens that are never chosen.
        vocabulary_size: Distinct token ids.
        rng: Source of randomness.

    Returns:
        The texts with hidden tokens, and which were chosen.

    Source: Devlin et al. 2019, section 3.1.
    """
    shape = tokens.ids.shape
    real = np.arange(shape[1]) < tokens.length[:, None]
    chosen = real & ~np.isin(tokens.ids, special_ids) & (rng.random(shape) < share)
    fate = rng.random(shape)
    ids = np.where(chosen & (fate < _MASKED), mask_id, tokens.ids)
    replaced = chosen & (fate >= _MASKED) & (fate < _MASKED + _REPLACED)
    ids = np.where(replaced, rng.integers(0, vocabulary_size, shape), ids)
    return Tokens(ids.astype(np.int32), tokens.length), chosen
