"""Settings of the encoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

__all__ = ["TermEncoderConfig", "TextEncoderConfig"]


@dataclass(frozen=True)
class TermEncoderConfig:
    """The term part: a shared table of hashed n-grams."""

    enabled: bool = True
    """Whether the part is there; when it is off, its dimensions go to the others."""

    share: Annotated[float, Gt(0)] = 1.0
    """Share of the served dimensions, relative to the shares of the other parts."""

    latent_share: Annotated[float, Ge(0), Le(1)] = 0.5
    """Share of the part's dimensions that start from latent semantic analysis of the catalogue, so that words of like
    products begin near each other; the rest start at random. More: better paraphrases, worse exact wording."""

    learning_rate: Annotated[float, Gt(0)] = 5e-3
    """Step size of the sparse optimiser. Larger: faster, and over-fits judged pairs sooner."""


@dataclass(frozen=True)
class TextEncoderConfig:
    """The text part: a transformer over tokens."""

    enabled: bool | None = None
    """Whether the part is there; when it is off, its dimensions go to the others. None: on where `init` gives it
    weights; from scratch it takes several times as long to train, which a catalogue alone seldom repays."""

    share: Annotated[float, Gt(0)] = 1.0
    """Share of the served dimensions, relative to the shares of the other parts."""

    init: str | None = None
    """Hugging Face encoder to start from, a folder or a hub name; None starts a small one from scratch."""

    num_layers: Annotated[int, Ge(1)] = 2
    """Layers of the small transformer; not used with `init`."""

    hidden_dim: Annotated[int, Ge(8)] = 128
    """Width of the small transformer; not used with `init`."""

    num_heads: Annotated[int, Ge(1)] = 4
    """Attention heads of the small transformer; not used with `init`."""

    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Drop-out inside the transformer while training."""

    learning_rate: Annotated[float, Gt(0)] | None = None
    """Peak step size; None takes 5e-5 with `init` and 1e-3 from scratch."""

    @property
    def is_on(self) -> bool:
        """Whether the part is there."""
        return self.init is not None if self.enabled is None else self.enabled

    @property
    def resolved_learning_rate(self) -> float:
        """The step size that is used."""
        if self.learning_rate is not None:
            return self.learning_rate
        return 5e-5 if self.init is not None else 1e-3
