"""Settings of the features; they are part of the feature spec that a model carries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Gt, Le

from aisle.core.errors import ConfigError

__all__ = ["ContextConfig", "FeatureConfig", "TermConfig", "TokenConfig"]


@dataclass(frozen=True)
class TermConfig:
    """Hashed word 1–2-grams and character n-grams."""

    num_buckets: Annotated[int, Ge(2)] = 131_072
    """Rows of the hash table. More: fewer collisions, more memory (512 bytes a row at 128 dimensions in fp32)."""

    stemmer: str | None = "english"
    """Snowball stemmer of words and bigrams, such as "english" or "german"; None leaves words as they are."""

    min_char_ngram: Annotated[int, Ge(2), Le(8)] = 3
    """Shortest character n-gram of a word with its borders."""

    max_char_ngram: Annotated[int, Ge(2), Le(8)] = 4
    """Longest character n-gram. Longer ones are rarer and more exact."""

    max_query_ngrams: Annotated[int, Ge(1)] = 64
    """Most n-grams kept of a query; whole words go first."""

    max_product_ngrams: Annotated[int, Ge(1)] = 160
    """Most n-grams kept of a product; title words go first. More: better recall of attributes, slower training."""

    char_weight: Annotated[float, Ge(0)] = 0.5
    """Weight that the character n-grams of a word share, against 1 for the word itself."""

    bigram_weight: Annotated[float, Ge(0)] = 0.5
    """Weight of a word bigram, against 1 for a word."""

    attribute_weight: Annotated[float, Ge(0)] = 0.5
    """Weight of n-grams in attributes, against 1 in the title. They say more than shoppers ask for."""

    description_weight: Annotated[float, Ge(0)] = 0.5
    """Weight of n-grams in the description, against 1 in the title. Weights of several fields add up."""

    def __post_init__(self) -> None:
        if self.min_char_ngram > self.max_char_ngram:
            raise ConfigError(
                "The shortest character n-gram must not be longer than the longest",
                received={"min_char_ngram": self.min_char_ngram, "max_char_ngram": self.max_char_ngram},
                remedy="Change one of them.",
            )


@dataclass(frozen=True)
class TokenConfig:
    """Tokens for the transformer."""

    max_query_tokens: Annotated[int, Ge(4), Le(512)] = 16
    """Most tokens of a query, special tokens included."""

    max_product_tokens: Annotated[int, Ge(4), Le(512)] = 32
    """Most tokens of a product, special tokens included. Time grows in proportion, or faster."""

    vocabulary_size: Annotated[int, Ge(300)] = 16_384
    """Size of the vocabulary that is learnt from the shop's own texts; not used with a Hugging Face checkpoint."""


@dataclass(frozen=True)
class ContextConfig:
    """Category path, brand, shop, price and other numbers, location."""

    max_depth: Annotated[int, Ge(0), Le(16)] = 6
    """Levels of the category path that are read, from the root."""

    min_products: Annotated[int, Ge(1)] = 2
    """Products that a category, brand, shop or location needs; what fewer have is missing, or counts as its parent."""

    max_values: Annotated[int, Ge(1)] = 100_000
    """Most known values of each field, and of each level of the path: the most frequent ones. Bounds memory."""

    num_buckets: Annotated[int, Ge(2), Le(100)] = 10
    """Quantiles into which price and other numbers are cut. More: finer, with fewer products in each."""

    min_category_prices: Annotated[int, Ge(1)] = 20
    """Prices that a category needs for quantiles of its own; below, its parent's are taken, at last the catalogue's."""

    scalars: tuple[str, ...] | None = None
    """Columns of numbers that are read beside the price; None takes every `quality_*` column."""


@dataclass(frozen=True)
class FeatureConfig:
    """Which features are made, and how."""

    term: TermConfig = field(default_factory=TermConfig)
    tokens: TokenConfig = field(default_factory=TokenConfig)
    context: ContextConfig = field(default_factory=ContextConfig)
    sample_size: Annotated[int, Gt(0)] = 200_000
    """Products, drawn evenly, from which the vocabulary of tokens is learnt."""
