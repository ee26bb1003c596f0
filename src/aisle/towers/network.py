"""The trainable network: encoders of the parts and channels, and their fusion."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from aisle.core.errors import ModelError
from aisle.encoders import ContextEncoder, TermEncoder, build_text_encoder, mean_past_context
from aisle.encoders.text import TextEncoder
from aisle.features import Featuriser
from aisle.towers.channels import Channels
from aisle.towers.config import TowerConfig
from aisle.towers.fusion import ConcatFusion, Fusion, PostFusion
from aisle.towers.inputs import FeatureBatch

__all__ = ["TowerNetwork"]

_NO_CHANNELS = Channels()
_WORDS = ("term", "text")
_TRANSFORMER = "text.transformer."


class TowerNetwork(nn.Module):
    """Two towers over shared parts: `score = ⟨query(q), product(p)⟩`.

    Products have the parts term, text, graph and context; queries the channels term, text, graph, context and history.
    What is not known of a row has a learnt vector. Where the transformer does not read queries, they have no text
    channel, and the fusion's head of the text part starts from the others.

    Args:
        term: The term part, or None where it is off.
        text: The text part, or None where it is off.
        fusion: How parts become one vector.
        channels: Graph, context and history, each None where it is off.
        query_words: Which of term and text read queries too.
    """

    def __init__(
        self,
        term: TermEncoder | None,
        text: TextEncoder | None,
        fusion: Fusion,
        *,
        channels: Channels = _NO_CHANNELS,
        query_words: Collection[str] = _WORDS,
    ) -> None:
        super().__init__()
        self.term = term
        self.text = text
        self.graph = channels.graph
        self.context = channels.context
        self.history = channels.history
        self.fusion = fusion
        self.query_words = frozenset(query_words)

    @classmethod
    def build(
        cls,
        config: TowerConfig,
        featuriser: Featuriser,
        *,
        saved_architecture: Path | None = None,
        num_known: tuple[int, int] | None = None,
    ) -> TowerNetwork:
        """Build the network of a recipe for given features.

        Args:
            config: Settings.
            featuriser: The features that it will read.
            saved_architecture: Folder of a saved model's transformer config, where weights will be loaded.
            num_known: Queries and products of the vector tables; needed where rows of them are learnt.

        Raises:
            ConfigError: If no part is on or the settings of one do not hold.
            ModelError: If a part is on whose features are not made, or rows are learnt and `num_known` is missing.
        """
        dims = config.part_dims()
        _check_features(dims, config, featuriser)
        term = None
        if "term" in dims:
            term = TermEncoder(featuriser.config.term.num_buckets, dims["term"], dropout=config.term.dropout or 0.0)
        text = None
        if featuriser.tokens is not None and "text" in dims:
            tokens = featuriser.config.tokens
            text = build_text_encoder(
                config.text,
                dim=dims["text"],
                vocabulary_size=featuriser.tokens.vocabulary_size,
                max_tokens=max(tokens.max_query_tokens, tokens.max_product_tokens),
                saved_architecture=saved_architecture,
            )
        channels = Channels.build(config, featuriser, num_known=num_known)
        extra = {"history": config.history.dim} if channels.history is not None else {}
        absent = {name for name in _WORDS if name in dims} - set(config.query_words)
        make = PostFusion if config.fusion == "post" else ConcatFusion
        return cls(term, text, make(dims, extra, absent=absent), channels=channels, query_words=config.query_words)

    @property
    def reads_tables(self) -> bool:
        """Whether anything looks up vector tables."""
        return self.graph is not None or self.history is not None

    @property
    def query_text(self) -> TextEncoder | None:
        """The text part where it reads queries, else None."""
        return self.text if "text" in self.query_words else None

    def learnt_state(self) -> dict[str, Tensor]:
        """Return the weights without those of a frozen transformer: what one training can have changed."""
        state = self.state_dict()
        if self.text is None or not self.text.frozen:
            return state
        return {name: value for name, value in state.items() if not name.startswith(_TRANSFORMER)}

    def load_learnt_state(self, state: Mapping[str, Tensor]) -> None:
        """Restore what `learnt_state` returned; a frozen transformer stays.

        Raises:
            RuntimeError: If it does not fit the network.
        """
        learnt = self.learnt_state()
        fixed = {name: value for name, value in self.state_dict().items() if name not in learnt}
        self.load_state_dict({**fixed, **state})

    def words(self, batch: FeatureBatch, names: Collection[str] = _WORDS) -> dict[str, Float[Tensor, "rows part_dim"]]:
        """Encode term and text, as far as they are named, unit length."""
        encoded = {}
        if self.term is not None and batch.terms is not None and "term" in names:
            encoded["term"] = self.term(batch.terms)
        if self.text is None or "text" not in names:
            return encoded
        if batch.pooled is not None:
            encoded["text"] = self.text.project(batch.pooled)
        elif batch.tokens is not None:
            encoded["text"] = self.text(batch.tokens)
        return encoded

    def parts(self, batch: FeatureBatch) -> dict[str, Float[Tensor, "rows part_dim"]]:
        """Encode every part of products on its own, unit length."""
        encoded = self.words(batch)
        if self.graph is not None:
            own = self._shared(encoded)
            encoded["graph"] = (
                self.graph(batch.neighbours, own=own, side="product")
                if batch.neighbours is not None
                else self.graph.unknown(len(own), side="product")
            )
        if self.context is not None and batch.context is not None:
            encoded["context"] = self.context(batch.context)
        return encoded

    def channels(self, batch: FeatureBatch) -> dict[str, Float[Tensor, "rows channel_dim"]]:
        """Encode every channel of queries on its own, unit length."""
        encoded = self.words(batch, self.query_words)
        own = _joined(encoded)
        if self.graph is not None:
            encoded["graph"] = (
                self.graph(batch.neighbours, own=own, side="query")
                if batch.neighbours is not None
                else self.graph.unknown(len(own), side="query")
            )
        if self.context is not None:
            encoded["context"] = self._search_context(self.context, batch, len(own))
        if self.history is not None:
            encoded["history"] = (
                self.history(batch.history, own=own) if batch.history is not None else self.history.unknown(len(own))
            )
        return encoded

    @staticmethod
    def _search_context(context: ContextEncoder, batch: FeatureBatch, num_rows: int) -> Float[Tensor, "rows part_dim"]:
        """Encode where a search comes from and what its actor had before: what the context of products meets."""
        if batch.context is None:
            return context.unknown(num_rows)
        past = mean_past_context(batch.history, context.dim) if batch.history is not None else None
        return context.searches(batch.context, past)

    def query(self, batch: FeatureBatch) -> Float[Tensor, "rows dim"]:
        """Encode queries into served vectors."""
        return self.fusion.query(self.channels(batch))

    def product(self, batch: FeatureBatch) -> Float[Tensor, "rows dim"]:
        """Encode products into served vectors."""
        return self.fusion.product(self.parts(batch))

    def query_row(self, batch: FeatureBatch) -> Float[Tensor, "rows query_dim"]:
        """Encode queries for the vector table: their words, never graph or history."""
        return _joined(self.words(batch, self.query_words))

    def product_row(self, batch: FeatureBatch) -> Float[Tensor, "rows product_dim"]:
        """Encode products for the vector table: term, text and context, never graph."""
        encoded = self.words(batch)
        if self.context is not None and batch.context is not None:
            encoded["context"] = self.context(batch.context)
        return _joined(encoded)

    def _shared(self, words: Mapping[str, Float[Tensor, "rows part_dim"]]) -> Float[Tensor, "rows dim"]:
        """Join what products have in common with queries."""
        return _joined({name: vectors for name, vectors in words.items() if name in self.query_words})


def _joined(encoded: Mapping[str, Float[Tensor, "rows part_dim"]]) -> Float[Tensor, "rows dim"]:
    return torch.cat([part.float() for part in encoded.values()], dim=1)


def _check_features(dims: Mapping[str, int], config: TowerConfig, featuriser: Featuriser) -> None:
    made = {
        "term": featuriser.terms is not None,
        "text": featuriser.tokens is not None,
        "context": featuriser.context is not None,
    }
    if not all(made.get(name, True) for name in dims):
        raise ModelError(
            "Every part that is on must have its features",
            received={"parts": list(dims), "features": [name for name in made if made[name]]},
            remedy="Make the features with the same parts switched on.",
        )
    if "text" in config.query_words and not featuriser.text_queries:
        raise ModelError(
            "A text part that reads queries must have features of them",
            received={"text.queries": True, "features of queries": False},
            remedy="Make the features with the same setting.",
        )
