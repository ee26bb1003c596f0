"""The trainable network: encoders of the parts and their fusion."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from aisle.core.errors import ModelError
from aisle.encoders import TermBatch, TermEncoder, TokenBatch, build_text_encoder, term_batch, token_batch
from aisle.encoders.text import TextEncoder
from aisle.features import Features, Featuriser
from aisle.towers.config import TowerConfig
from aisle.towers.fusion import ConcatFusion, Fusion, PostFusion

__all__ = ["FeatureBatch", "TowerNetwork", "feature_batch"]


@dataclass(frozen=True)
class FeatureBatch:
    """Features of some queries or products, as tensors; a part that is off is None."""

    terms: TermBatch | None
    tokens: TokenBatch | None


def feature_batch(features: Features, device: torch.device) -> FeatureBatch:
    """Copy features to a device."""
    return FeatureBatch(
        terms=term_batch(features.terms, device) if features.terms is not None else None,
        tokens=token_batch(features.tokens, device) if features.tokens is not None else None,
    )


class TowerNetwork(nn.Module):
    """Two towers over shared parts: `score = ⟨query(q), product(p)⟩`.

    Graph, context and history join as further parts and query-side channels of the same fusion.

    Args:
        term: The term part, or None where it is off.
        text: The text part, or None where it is off.
        fusion: How parts become one vector.
    """

    def __init__(self, term: TermEncoder | None, text: TextEncoder | None, fusion: Fusion) -> None:
        super().__init__()
        self.term = term
        self.text = text
        self.fusion = fusion

    @classmethod
    def build(
        cls, config: TowerConfig, featuriser: Featuriser, *, saved_architecture: Path | None = None
    ) -> TowerNetwork:
        """Build the network of a recipe for given features.

        Args:
            config: Settings.
            featuriser: The features that it will read.
            saved_architecture: Folder of a saved model's transformer config, where weights will be loaded.

        Raises:
            ConfigError: If no part is on or the settings of one do not hold.
            ModelError: If a part is on whose features are not made.
        """
        dims = config.part_dims()
        made = {"term": featuriser.terms is not None, "text": featuriser.tokens is not None}
        if not all(made[name] for name in dims):
            raise ModelError(
                "Every part that is on must have its features",
                received={"parts": list(dims), "features": [name for name in made if made[name]]},
                remedy="Make the features with the same parts switched on.",
            )
        term = TermEncoder(featuriser.config.term.num_buckets, dims["term"]) if "term" in dims else None
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
        return cls(term, text, PostFusion(dims) if config.fusion == "post" else ConcatFusion(dims))

    def parts(self, batch: FeatureBatch) -> dict[str, Float[Tensor, "rows part_dim"]]:
        """Encode every part on its own, unit length."""
        encoded = {}
        if self.term is not None and batch.terms is not None:
            encoded["term"] = self.term(batch.terms)
        if self.text is not None and batch.tokens is not None:
            encoded["text"] = self.text(batch.tokens)
        return encoded

    def query(self, batch: FeatureBatch) -> Float[Tensor, "rows dim"]:
        """Encode queries into served vectors."""
        return self.fusion.query(self.parts(batch))

    def product(self, batch: FeatureBatch) -> Float[Tensor, "rows dim"]:
        """Encode products into served vectors."""
        return self.fusion.product(self.parts(batch))
