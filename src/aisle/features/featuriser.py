"""All features of queries and products, and the spec that a model carries."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from jaxtyping import Float16, Float32, Int64

from aisle.core.config import config_to_dict
from aisle.core.errors import ModelError
from aisle.features.config import FeatureConfig
from aisle.features.context import Context, ContextFeaturiser
from aisle.features.histories import Histories
from aisle.features.neighbours import Neighbours
from aisle.features.product_text import product_text
from aisle.features.terms import TermFeaturiser, Terms, num_slots
from aisle.features.tokens import TokenFeaturiser, Tokens

__all__ = ["SPEC_VERSION", "Features", "Featuriser", "check_spec_version"]

SPEC_VERSION = 3
"""Raised whenever the same config would give other features; a model of another version is refused."""

_IDF, _TOKENIZER, _CONTEXT = "idf.npy", "tokenizer.json", "context.json"


@dataclass(frozen=True)
class Features:
    """Features of some queries or products, row by row; a part that is off, or of which nothing is known, is None.

    Attributes:
        terms: Hashed n-grams.
        tokens: Tokens of the transformer.
        context: Fields of products; location and device of queries.
        neighbours: Products of queries, or queries of products. The log knows them, not the featuriser.
        history: What the actors of queries did before. The log knows it, not the featuriser.
        pooled: What a frozen transformer made of the tokens, stored; it stands in their place, and `tokens` is None.
    """

    terms: Terms | None
    tokens: Tokens | None
    context: Context | None = None
    neighbours: Neighbours | None = None
    history: Histories | None = None
    pooled: Float16[np.ndarray, "rows hidden"] | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        words = (part for part in (self.terms, self.tokens, self.pooled) if part is not None)
        return len(next(words, ()))

    def take(self, rows: Int64[np.ndarray, " wanted"]) -> Features:
        """Return these rows, in this order."""
        return Features(
            terms=self.terms.take(rows) if self.terms is not None else None,
            tokens=self.tokens.take(rows) if self.tokens is not None else None,
            context=self.context.take(rows) if self.context is not None else None,
            neighbours=self.neighbours.take(rows) if self.neighbours is not None else None,
            history=self.history.take(rows) if self.history is not None else None,
            pooled=np.asarray(self.pooled[rows]) if self.pooled is not None else None,
        )


class Featuriser:
    """Makes the features of queries and products, the same way in training and in serving.

    Args:
        config: Settings.
        terms: Term features, or None where the term part is off.
        tokens: Token features, or None where the text part is off.
        context: Context features, or None where the context part is off.
        text_queries: Whether queries have token features too.
    """

    def __init__(
        self,
        config: FeatureConfig,
        terms: TermFeaturiser | None,
        tokens: TokenFeaturiser | None,
        *,
        context: ContextFeaturiser | None = None,
        text_queries: bool = True,
    ) -> None:
        if terms is None and tokens is None:
            raise ModelError("At least one part must be on", remedy="Set term.enabled or text.enabled to true.")
        self.config = config
        self.terms = terms
        self.tokens = tokens
        self.context = context
        self.text_queries = text_queries

    @classmethod
    def fit(
        cls,
        products: pa.Table,
        config: FeatureConfig,
        *,
        term: bool = True,
        text: bool = True,
        checkpoint: str | None = None,
        context: ContextFeaturiser | None = None,
        queries: pa.Array | None = None,
        text_queries: bool = True,
    ) -> Featuriser:
        """Learn document frequencies and a vocabulary from a catalogue.

        Args:
            products: Products table.
            config: Settings.
            term: Make term features.
            text: Make token features.
            checkpoint: Hugging Face checkpoint whose tokenizer is taken; None learns one.
            context: Context features, fitted already; None makes none.
            queries: Queries that will be trained on, whose words are known too; words that nothing trains are left out.
            text_queries: Make token features of queries too.
        """
        texts = product_text(products)
        term_featuriser = TermFeaturiser.fit(texts.by_weight(), config.term, queries=queries) if term else None
        token_featuriser = None
        if text and checkpoint is not None:
            token_featuriser = TokenFeaturiser.from_checkpoint(checkpoint, config.tokens)
        elif text:
            rows = np.linspace(0, len(texts) - 1, min(len(texts), config.sample_size)).astype(np.int64)
            token_featuriser = TokenFeaturiser.fit(texts.joined().take(pa.array(rows)), config.tokens)
        return cls(config, term_featuriser, token_featuriser, context=context, text_queries=text_queries)

    def queries(
        self, texts: pa.Array, *, locations: pa.Array | None = None, devices: pa.Array | None = None
    ) -> Features:
        """Make the features of queries.

        Args:
            texts: Query texts.
            locations: Where each search comes from; null, or None for all, where that is not known.
            devices: What each search was typed on, likewise.
        """
        return Features(
            terms=self.terms.queries(texts) if self.terms else None,
            tokens=self.tokens.queries(texts) if self.tokens and self.text_queries else None,
            context=self.context.searches(len(texts), locations=locations, devices=devices) if self.context else None,
        )

    def products(self, products: pa.Table) -> Features:
        """Make the features of products."""
        texts = product_text(products)
        return Features(
            terms=self.terms.products(texts.by_weight()) if self.terms else None,
            tokens=self.tokens.products(texts.joined()) if self.tokens else None,
            context=self.context.products(products) if self.context else None,
        )

    def save(self, folder: Path) -> None:
        """Write what was learnt; `spec` goes into the model's config."""
        if self.terms is not None:
            np.save(folder / _IDF, self.terms.idf)
        if self.tokens is not None:
            self.tokens.save(folder / _TOKENIZER)
        if self.context is not None:
            self.context.save(folder / _CONTEXT)

    def spec(self) -> dict[str, object]:
        """Return the feature spec: version, settings and which parts are on."""
        return {
            "version": SPEC_VERSION,
            "term": self.terms is not None,
            "text": self.tokens is not None,
            "context": self.context is not None,
            "text_queries": self.text_queries,
            "config": config_to_dict(self.config),
        }

    @classmethod
    def load(cls, folder: Path, spec: dict[str, object], config: FeatureConfig) -> Featuriser:
        """Read what `save` wrote.

        Raises:
            ModelError: If the spec is of another version, or a file is missing or damaged.
        """
        check_spec_version(spec, folder)
        idf = _read_idf(folder / _IDF, num_slots(config.term)) if spec["term"] else None
        terms = TermFeaturiser(config.term, idf) if idf is not None else None
        tokens = TokenFeaturiser.load(folder / _TOKENIZER, config.tokens) if spec["text"] else None
        # A spec that was written before there was a context part, or text for products alone, does not name it.
        has_context = bool(spec.get("context", False))
        context = ContextFeaturiser.load(folder / _CONTEXT, config.context) if has_context else None
        return cls(config, terms, tokens, context=context, text_queries=bool(spec.get("text_queries", True)))


def check_spec_version(spec: dict[str, object], folder: Path) -> None:
    """Refuse a feature spec of another version, before its settings are read: they may have other names there.

    Raises:
        ModelError: If it is of another version.
    """
    if spec.get("version") != SPEC_VERSION:
        raise ModelError(
            f"The model's feature spec must be of version {SPEC_VERSION}",
            received={"version": spec.get("version"), "model": str(folder)},
            remedy="Train the model again with this version of Aisle.",
        )


def _read_idf(path: Path, size: int) -> Float32[np.ndarray, " slots"]:
    problem: object
    try:
        with path.open("rb") as file:
            idf: np.ndarray = np.lib.format.read_array(file, allow_pickle=False)
        if idf.shape == (size,) and idf.dtype == np.float32:
            return idf
        problem = f"{idf.dtype} of shape {idf.shape}, where the settings have {size} slots"
    except (OSError, ValueError) as error:
        problem = error
    raise ModelError(
        "A model must hold the inverse document frequency of every slot",
        received={"path": str(path), "problem": str(problem)},
        remedy="Train the model again.",
    )
