"""Settings of single losses and sources of negatives, where a batch is learnt search by search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le

from aisle.core.errors import ConfigError, UsageError
from aisle.losses import HingeThresholds
from aisle.tables import Stage

__all__ = ["DynamicConfig", "HingeConfig", "StageConfig"]


@dataclass(frozen=True)
class StageConfig:
    """What a positive counts in the retrieval loss, by its stage; 0 leaves its kind out. By search."""

    ordered: Annotated[float, Ge(0)] = 1.0
    """Weight of what was ordered."""

    carted: Annotated[float, Ge(0)] = 0.75
    """Weight of what was put into the cart and not ordered."""

    favorited: Annotated[float, Ge(0)] = 0.75
    """Weight of what was marked as a favourite and no more."""

    clicked: Annotated[float, Ge(0)] = 0.5
    """Weight of what was clicked and no more."""

    assisted: Annotated[float, Ge(0), Le(1)] = 1.0
    """Factor on assisted positives, beside the discount that mining gave them; 0: they are not learnt from."""

    def by_stage(self) -> dict[Stage, float]:
        """Return the weight of each stage; what was shown and skipped is no positive."""
        return {
            Stage.SHOWN: 0.0,
            Stage.CLICKED: self.clicked,
            Stage.FAVORITED: self.favorited,
            Stage.CARTED: self.carted,
            Stage.ORDERED: self.ordered,
        }


@dataclass(frozen=True)
class DynamicConfig:
    """Dynamic hard negatives: what the current model ranks high in a pool of products on sale."""

    pool_size: Annotated[int, Ge(1)] = 4096
    """Products of a slice's pool; all that are on sale where there are fewer. Larger: harder ones, longer refresh."""

    refresh_steps: Annotated[int, Ge(1)] = 200
    """Steps after which a slice's pool is drawn and encoded anew. More: faster, and chosen by an older model."""

    skip_ranks: Annotated[int, Ge(0)] = 10
    """Top ranks of the pool that are left out for each search: relevant products that were never shown stand there."""

    depth: Annotated[int, Ge(1)] = 100
    """Ranks of the pool that are looked at, skipped ones included."""

    margin: Annotated[float, Ge(0)] = 0.05
    """Products that score above the row's positive minus this are left out; in units of the score."""

    num_per_row: Annotated[int, Ge(1)] = 4
    """Products that each row wishes for."""

    num_columns: Annotated[int, Ge(1)] = 128
    """Most products of a batch of the set size, shared by its rows; they cost encoding. Where `train.min_steps` makes
    batches smaller they are fewer in proportion."""

    def __post_init__(self) -> None:
        if self.skip_ranks >= self.depth:
            raise ConfigError(
                "train.dynamic must look deeper than it skips",
                received={"train.dynamic.skip_ranks": self.skip_ranks, "train.dynamic.depth": self.depth},
                remedy="Give depth a value above skip_ranks.",
            )


@dataclass(frozen=True)
class HingeConfig:
    """The multi-part hinge: which side of which threshold the scaled score α·s + b of each stage must lie on."""

    random: float = 0.2
    """Products that were not shown must score below it."""

    shown: float = 0.5
    """Products that were shown and skipped must score below it."""

    clicked: float = 0.6
    """Clicked products must score above it."""

    carted: float = 0.75
    """Carted and favorited products must score above it."""

    ordered: float = 0.9
    """Ordered products must score above it."""

    learning_rate: Annotated[float, Gt(0)] = 0.01
    """Peak step size of α and b."""

    def __post_init__(self) -> None:
        try:
            self.thresholds()
        except UsageError as error:
            raise ConfigError(
                "train.hinge must have finite thresholds that never fall from random to ordered",
                received=error.received,
                remedy=error.remedy,
            ) from error

    def thresholds(self) -> HingeThresholds:
        """Return the thresholds as the loss takes them."""
        return HingeThresholds(self.random, self.shown, self.clicked, self.carted, self.ordered)
