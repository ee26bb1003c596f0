"""Tokens of the texts and pairs that are learnt from, and of those that are held out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Int64

from aisle.core.errors import UsageError
from aisle.core.rng import generator
from aisle.features import TokenFeaturiser, Tokens
from aisle.negatives import PositiveSets
from aisle.pretraining.config import PretrainConfig
from aisle.pretraining.texts import PretrainTexts
from aisle.training import TrainingPairs, split_queries
from aisle.training.validation_sets import spread

__all__ = ["Draw", "PairTokens", "PretrainData", "Split"]


@dataclass(frozen=True)
class Split:
    """Rows that are learnt from and rows that are held out.

    Attributes:
        trained: Rows that are learnt from.
        held_out: Some of the others, drawn evenly.
    """

    trained: Int64[np.ndarray, " trained"]
    held_out: Int64[np.ndarray, " held_out"]


@dataclass(frozen=True, eq=False)
class PairTokens:
    """Pairs of a query and a product.

    Attributes:
        queries: Tokens of the distinct queries.
        query_index: Query of every pair.
        product_index: Product of every pair.
        weight: What each counts.
        known: Products of every query: they are no negatives of it.
        split: Which pairs are learnt from: a query's pairs are all on one side.
    """

    queries: Tokens
    query_index: Int64[np.ndarray, " pairs"]
    product_index: Int64[np.ndarray, " pairs"]
    weight: Float32[np.ndarray, " pairs"]
    known: PositiveSets
    split: Split

    @classmethod
    def of(cls, pairs: TrainingPairs, tokens: TokenFeaturiser, config: PretrainConfig) -> PairTokens:
        """Tokenise queries and hold some of them out, by a hash of their text."""
        held_out = _held_out(pairs.queries, config)[pairs.query_index]
        known = PositiveSets.from_pairs(pairs.query_index, pairs.product_index, num_queries=len(pairs.queries))
        split = Split(np.flatnonzero(~held_out), spread(held_out, most=config.max_held_out))
        return cls(tokens.queries(pairs.queries), pairs.query_index, pairs.product_index, pairs.weight, known, split)


@dataclass(frozen=True, eq=False)
class PretrainData:
    """All that one pre-training reads.

    Attributes:
        texts: Tokens of products and queries, whose tokens are hidden and guessed.
        text_split: Which of them are learnt from.
        products: Tokens of the products of the pairs.
        pairs: For the contrastive objective.
        purchases: For writing queries.
        mask_id: Token that stands in the place of a hidden one.
        special_ids: Tokens that are never hidden.
        vocabulary_size: Distinct token ids.
    """

    texts: Tokens
    text_split: Split
    products: Tokens
    pairs: PairTokens
    purchases: PairTokens
    mask_id: int
    special_ids: Int64[np.ndarray, " special"]
    vocabulary_size: int

    @classmethod
    def of(
        cls,
        texts: PretrainTexts,
        tokens: TokenFeaturiser,
        config: PretrainConfig,
        *,
        mask_id: int,
        special_ids: Int64[np.ndarray, " special"],
    ) -> PretrainData:
        """Tokenise texts, and hold some out.

        Args:
            texts: What is learnt from.
            tokens: The tokenizer of the checkpoint or of the shop.
            config: Settings.
            mask_id: Its token for hidden ones.
            special_ids: Its tokens that are no part of a text.

        Raises:
            UsageError: If an objective that is on has nothing to learn from or nothing that is held out.
        """
        held_out = _held_out(texts.texts, config)
        text_split = Split(np.flatnonzero(~held_out), spread(held_out, most=config.max_held_out))
        pairs, purchases = (PairTokens.of(found, tokens, config) for found in (texts.pairs, texts.purchases))
        _check("masked", text_split, config, what="texts", remedy="Import products with titles.")
        _check("contrastive", pairs.split, config, what="pairs", remedy=_MORE_PAIRS)
        _check("sequence", purchases.split, config, what="purchases", remedy=_MORE_PURCHASES)
        return cls(
            texts=tokens.products(texts.texts),
            text_split=text_split,
            products=tokens.products(texts.products),
            pairs=pairs,
            purchases=purchases,
            mask_id=mask_id,
            special_ids=special_ids,
            vocabulary_size=tokens.vocabulary_size,
        )


_MORE_PAIRS = "Mine a longer log, import products with descriptions, or set pretrain.contrastive_weight=0."
_MORE_PURCHASES = "Import orders and run `aisle mine`, or set pretrain.sequence_weight=0."


class Draw:
    """Draws the rows of every step: each row once an epoch, in an order that the step alone decides.

    Args:
        rows: Rows to draw from.
        batch_size: Rows per step; fewer where there are fewer.
        seed: Seed of the run.
        name: Name of the stream.
    """

    def __init__(self, rows: Int64[np.ndarray, " rows"], *, batch_size: int, seed: int, name: str) -> None:
        self.rows, self.seed, self.name = rows, seed, name
        self.size = min(batch_size, len(rows))
        self.steps_per_epoch = len(rows) // self.size
        self._epoch, self._order = -1, rows

    def at(self, step: int) -> Int64[np.ndarray, " batch"]:
        """Return the rows of a step."""
        epoch, place = divmod(step, self.steps_per_epoch)
        if epoch != self._epoch:
            self._order = generator(self.seed, self.name, epoch).permutation(self.rows)
            self._epoch = epoch
        return self._order[place * self.size : (place + 1) * self.size]


def _held_out(queries: pa.Array, config: PretrainConfig) -> np.ndarray:
    return split_queries(queries, validation_share=config.held_out_share)


def _check(objective: str, split: Split, config: PretrainConfig, *, what: str, remedy: str) -> None:
    if config.weights[objective] and (len(split.trained) < 2 or not len(split.held_out)):
        raise UsageError(
            f"pretrain.{objective}_weight needs at least 2 {what} to learn from and 1 that is held out",
            received={f"{what}_learnt": len(split.trained), f"{what}_held_out": len(split.held_out)},
            remedy=remedy,
        )
