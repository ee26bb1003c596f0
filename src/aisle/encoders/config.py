"""Settings of the encoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from aisle.core.errors import ConfigError

__all__ = [
    "OWN",
    "ContextEncoderConfig",
    "GraphEncoderConfig",
    "HistoryEncoderConfig",
    "TermEncoderConfig",
    "TextEncoderConfig",
]

OWN = "pretrained"
"""Word of `text.init` for what `aisle pretrain` made in the workspace."""


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

    dropout: Annotated[float, Ge(0), Lt(1)] | None = None
    """Share of n-grams hidden in training, so that no pair is learnt by heart through one of them. More: better for
    words that products do not have, slower to learn. None: 0.3 with a log, 0.5 without one."""

    learning_rate: Annotated[float, Gt(0)] = 5e-3
    """Step size of the sparse optimiser. Larger: faster, and over-fits judged pairs sooner."""

    stop_share: Annotated[float, Gt(0), Le(1)] | None = None
    """Share of the planned steps after which the part's weights stay as they are; None: they are trained to the end.
    Smaller: less over-fitting, and faster steps."""


@dataclass(frozen=True)
class TextEncoderConfig:
    """The text part: a transformer over tokens."""

    enabled: bool | None = None
    """Whether the part is there; when it is off, its dimensions go to the others. None: on where `init` gives it
    weights; from scratch it takes several times as long to train, which a catalogue alone seldom repays."""

    share: Annotated[float, Gt(0)] = 0.5
    """Share of the served dimensions, relative to the shares of the other parts."""

    queries: bool = True
    """Whether the transformer reads queries too. `false` answers a search without it, faster; a query's text channel is
    then a linear map of its other channels, whose cost in recall is yours to measure. Needs the term part."""

    init: str | None = None
    """Hugging Face encoder to start from, a folder or a hub name; `pretrained` is the workspace's own, which `aisle
    pretrain` made; None starts a small one from scratch."""

    frozen: bool = False
    """Whether the transformer of `init` stays as it is and only the projection behind it is trained: each text goes
    through it once, before training, which then costs what it costs without a transformer."""

    num_layers: Annotated[int, Ge(1)] = 2
    """Layers of the small transformer; not used with `init`."""

    hidden_dim: Annotated[int, Ge(8)] = 128
    """Width of the small transformer; not used with `init`."""

    num_heads: Annotated[int, Ge(1)] = 4
    """Attention heads of the small transformer; not used with `init`."""

    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Drop-out inside the transformer while training."""

    learning_rate: Annotated[float, Gt(0)] | None = None
    """Peak step size; None takes 5e-5 with `init`, and 1e-3 from scratch or where the transformer is frozen."""

    stop_share: Annotated[float, Gt(0), Le(1)] | None = None
    """Share of the planned steps after which the part's weights stay as they are; None: they are trained to the end.
    Smaller: less over-fitting, and faster steps."""

    def __post_init__(self) -> None:
        if self.frozen and self.init is None:
            raise ConfigError(
                "text.frozen needs a checkpoint whose weights can stay as they are",
                received={"text.frozen": True, "text.init": None},
                remedy="Name one by text.init, or set text.frozen=false.",
            )

    @property
    def is_on(self) -> bool:
        """Whether the part is there."""
        return self.init is not None if self.enabled is None else self.enabled

    @property
    def reads_queries(self) -> bool:
        """Whether the part is there and reads queries."""
        return self.is_on and self.queries

    @property
    def resolved_learning_rate(self) -> float:
        """The step size that is used."""
        if self.learning_rate is not None:
            return self.learning_rate
        return 5e-5 if self.init is not None and not self.frozen else 1e-3


@dataclass(frozen=True)
class GraphEncoderConfig:
    """The graph part: what a query led to, and which queries led to a product."""

    enabled: bool | None = None
    """Whether the part is there; when it is off, its dimensions go to the others. None: on where a log is mined."""

    share: Annotated[float, Gt(0)] = 0.2
    """Share of the served dimensions, relative to the shares of the other parts."""

    pooling: Literal["mean", "attention"] = "mean"
    """Neighbours are averaged by the weight of their edges, or the row's own words attend to them."""

    neighbours: Annotated[int, Ge(1)] = 10
    """Most neighbours of a query or product, the heaviest first. More: smoother, slower."""

    vectors: Literal["frozen", "trained"] = "frozen"
    """Neighbours are known by their vectors of the vector tables alone, or each known query and product has a learnt
    row of its own beside that. `trained` can hold what a neighbour's words do not say, costs memory for every known
    query and product, and may learn rare ones by heart."""

    table_learning_rate: Annotated[float, Gt(0)] = 5e-3
    """Step size of the learnt rows, which have a sparse optimiser."""

    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Share of neighbours that are hidden while training."""

    row_dropout: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Share of queries and products that are shown without any neighbour while training: they teach what missing
    means, and keep the other parts from leaning on this one."""

    learning_rate: Annotated[float, Gt(0)] = 1e-3
    """Peak step size."""

    stop_share: Annotated[float, Gt(0), Le(1)] | None = None
    """Share of the planned steps after which the part's weights stay as they are; None: they are trained to the end.
    Smaller: less over-fitting, and faster steps."""


@dataclass(frozen=True)
class ContextEncoderConfig:
    """The context part: category path, brand, shop, price, other numbers, location; the search's location meets it."""

    enabled: bool | None = None
    """Whether the part is there; when it is off, its dimensions go to the others. None: on where a log is mined."""

    share: Annotated[float, Gt(0)] = 0.3
    """Share of the served dimensions, relative to the shares of the other parts."""

    hidden_dim: Annotated[int, Ge(1)] = 128
    """Width of the hidden layer between the fields' sum and the product's vector."""

    learning_rate: Annotated[float, Gt(0)] = 1e-3
    """Peak step size of the dense layers."""

    table_learning_rate: Annotated[float, Gt(0)] = 5e-3
    """Step size of the table of fields, which has a sparse optimiser."""

    stop_share: Annotated[float, Gt(0), Le(1)] | None = None
    """Share of the planned steps after which the part's weights stay as they are; None: they are trained to the end.
    Smaller: less over-fitting, and faster steps."""


@dataclass(frozen=True)
class HistoryEncoderConfig:
    """The history channel: what the actor did before the search."""

    enabled: bool | None = None
    """Whether the channel is there. It has no part in a product, and serves no dimensions. None: on where a log is
    mined."""

    events: Annotated[int, Ge(1)] = 20
    """Most past events that are read, the last ones. More: longer memory, slower."""

    dim: Annotated[int, Ge(2)] = 64
    """Width of the transformer."""

    num_heads: Annotated[int, Ge(1)] = 2
    """Attention heads; they divide the width."""

    dropout: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Drop-out inside the transformer while training."""

    learning_rate: Annotated[float, Gt(0)] = 1e-3
    """Peak step size."""

    stop_share: Annotated[float, Gt(0), Le(1)] | None = None
    """Share of the planned steps after which the part's weights stay as they are; None: they are trained to the end.
    Smaller: less over-fitting, and faster steps."""

    def __post_init__(self) -> None:
        if self.dim % self.num_heads:
            raise ConfigError(
                "history.dim must be a multiple of history.num_heads",
                received={"history.dim": self.dim, "history.num_heads": self.num_heads},
                remedy="Change one of them.",
            )
