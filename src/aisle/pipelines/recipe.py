"""The whole of what can be set: one recipe, from which every step takes its part."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from annotated_types import Ge, Le

from aisle.core.config import apply_overrides, config_from_dict, read_toml
from aisle.encoders import (
    ContextEncoderConfig,
    GraphEncoderConfig,
    HistoryEncoderConfig,
    TermEncoderConfig,
    TextEncoderConfig,
)
from aisle.features import FeatureConfig
from aisle.index import IndexConfig
from aisle.mining import MiningConfig
from aisle.pretraining import PretrainConfig
from aisle.retrieval import DEFAULT_DEPTH
from aisle.store import StoreConfig
from aisle.towers import LOG_CHANNELS, EncodeConfig, TowerConfig
from aisle.training import PairConfig, TrainConfig

__all__ = ["DEMO_RECIPE", "HybridConfig", "LexicalConfig", "Recipe", "load_recipe"]


DEMO_RECIPE = Path(__file__).parent / "recipes" / "demo.toml"
"""Settings with which the generated shop is done in minutes."""


@dataclass(frozen=True)
class LexicalConfig:
    """BM25, the lexical side of hybrid search."""

    fields: tuple[Literal["title", "brand", "category", "attributes", "description"], ...] = ("title", "description")
    """Fields that are searched, as one text."""

    stemmer: str | None = "english"
    """Snowball stemmer, such as "english", "spanish", "german"; None leaves words as they are."""

    typos: bool = True
    """Search for the nearest known word in place of one that the catalogue does not know, by words and by vectors."""


@dataclass(frozen=True)
class HybridConfig:
    """How lexical and semantic results are fused."""

    semantic_weight: Annotated[float, Ge(0), Le(1)] | None = None
    """Share of the semantic side; None tunes it on validation judgments, or takes a fixed default without them: 0.8
    for a model that learnt from a log, 0.5 for one that did not."""

    fusion: Literal["normalised", "reciprocal_rank"] = "normalised"
    """Fuse scores, normalised per query, or reciprocal ranks."""

    depth: Annotated[int, Ge(1)] = DEFAULT_DEPTH
    """Candidates taken from each side."""

    gate: bool = True
    """Leave easy queries to words alone, where validation judgments show that nothing is lost by it."""


@dataclass(frozen=True)
class Recipe:
    """Settings of every step. `--set term.enabled=false` overrides one; a TOML file overrides many."""

    seed: int = 0
    """Seed of everything random."""

    embedding_dim: Annotated[int, Ge(2)] = 256
    """Served dimensions, all parts together."""

    fusion: Literal["post", "concat"] = "post"
    """How the parts of the towers are fused."""

    mining: MiningConfig = field(default_factory=MiningConfig)
    term: TermEncoderConfig = field(default_factory=TermEncoderConfig)
    text: TextEncoderConfig = field(default_factory=TextEncoderConfig)
    graph: GraphEncoderConfig = field(default_factory=GraphEncoderConfig)
    context: ContextEncoderConfig = field(default_factory=ContextEncoderConfig)
    history: HistoryEncoderConfig = field(default_factory=HistoryEncoderConfig)
    features: FeatureConfig = field(default_factory=FeatureConfig)
    pretrain: PretrainConfig = field(default_factory=PretrainConfig)
    pairs: PairConfig = field(default_factory=PairConfig)
    train: TrainConfig = field(default_factory=TrainConfig)
    encode: EncodeConfig = field(default_factory=EncodeConfig)
    index: IndexConfig = field(default_factory=IndexConfig)
    lexical: LexicalConfig = field(default_factory=LexicalConfig)
    hybrid: HybridConfig = field(default_factory=HybridConfig)
    store: StoreConfig = field(default_factory=StoreConfig)

    def towers(self, data: Collection[str] = ()) -> TowerConfig:
        """Return the settings of the towers.

        Args:
            data: Names of `LOG_CHANNELS` for which the workspace has data; a catalogue alone has none.

        Raises:
            ConfigError: If a channel is switched on without data.
        """
        return TowerConfig(
            embedding_dim=self.embedding_dim,
            fusion=self.fusion,
            term=self.term,
            text=self.text,
            graph=self.graph,
            context=self.context,
            history=self.history,
        ).with_data(data)


def load_recipe(path: Path | None, overrides: Sequence[str]) -> Recipe:
    """Read a recipe: the defaults, changed by a TOML file, changed by `a.b=value` overrides.

    Raises:
        ConfigError: With every unknown name, wrong type and value out of bounds of file and overrides, unless an
            override is not of the form `a.b=value`: then with every such one.
    """
    values = read_toml(path) if path is not None else {}
    recipe = config_from_dict(Recipe, apply_overrides(values, overrides))
    # What a workspace has is not known yet: what is switched on is taken to be there.
    recipe.towers([name for name in LOG_CHANNELS if getattr(recipe, name).enabled]).part_dims()
    return recipe
