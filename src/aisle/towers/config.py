"""Settings of the towers, and how dimensions are dealt out to the parts."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from annotated_types import Ge

from aisle.core.errors import ConfigError
from aisle.encoders.config import (
    ContextEncoderConfig,
    GraphEncoderConfig,
    HistoryEncoderConfig,
    TermEncoderConfig,
    TextEncoderConfig,
)

__all__ = ["LOG_CHANNELS", "EncodeConfig", "TowerConfig"]

LOG_CHANNELS = ("graph", "context", "history")
"""Parts and channels that are on where a log is mined."""

_DROPOUT_WITH_LOG, _DROPOUT_WITHOUT_LOG = 0.3, 0.5
"""Pairs cut from a catalogue are learnt by heart more easily than a log. Chosen on generated shops' own judgments and
on the truth of a simulated marketplace, of other seeds than those that figures are given for."""


@dataclass(frozen=True)
class EncodeConfig:
    """How a catalogue is encoded with a trained model."""

    precision: Literal["auto", "fp32"] = "auto"
    """`auto` runs the text part's transformer in bfloat16 where the processor has instructions for it: about twice as
    fast, at a cosine of .9995 and more to float32. `fp32` is exact. Queries are always encoded in float32."""

    dim: Annotated[int, Ge(1)] | None = None
    """Served dimensions, of every part its first ones; None: all that the model has. Smaller: a smaller and faster
    index of the same model, which finds less."""


@dataclass(frozen=True)
class TowerConfig:
    """Which parts there are and how they are fused."""

    embedding_dim: Annotated[int, Ge(2)] = 256
    """Served dimensions, all parts together. Larger: better recall, more memory and slower search."""

    fusion: Literal["post", "concat"] = "post"
    """`post` weighs similarities late (JD's style); `concat` projects concatenated parts (Etsy's)."""

    term: TermEncoderConfig = field(default_factory=TermEncoderConfig)
    text: TextEncoderConfig = field(default_factory=TextEncoderConfig)
    graph: GraphEncoderConfig = field(default_factory=GraphEncoderConfig)
    context: ContextEncoderConfig = field(default_factory=ContextEncoderConfig)
    history: HistoryEncoderConfig = field(default_factory=HistoryEncoderConfig)

    def with_data(self, data: Collection[str]) -> TowerConfig:
        """Settle what the recipe leaves open: a channel is on where there is data for it.

        Args:
            data: Names of `LOG_CHANNELS` for which the workspace has data.

        Raises:
            ConfigError: If a channel is switched on without data.
        """
        missing = [name for name in LOG_CHANNELS if getattr(self, name).enabled and name not in data]
        if missing:
            raise ConfigError(
                "A channel that is switched on must have data in the workspace",
                received={f"{name}.enabled": True for name in missing},
                remedy="Import searches and impressions and run `aisle mine`, or leave the setting out.",
            )
        is_on = {name: getattr(self, name).enabled is not False and name in data for name in LOG_CHANNELS}
        hidden = self.term.dropout
        if hidden is None:
            hidden = _DROPOUT_WITH_LOG if data else _DROPOUT_WITHOUT_LOG
        return replace(
            self,
            term=replace(self.term, dropout=hidden),
            graph=replace(self.graph, enabled=is_on["graph"]),
            context=replace(self.context, enabled=is_on["context"]),
            history=replace(self.history, enabled=is_on["history"]),
        )

    @property
    def query_words(self) -> tuple[str, ...]:
        """Parts that read the words of queries, as they read those of products."""
        is_on = {"term": self.term.enabled, "text": self.text.reads_queries}
        return tuple(name for name, on in is_on.items() if on)

    def part_dims(self) -> dict[str, int]:
        """Deal out the served dimensions to the parts that are on, by share; they sum to `embedding_dim`.

        What `with_data` has not settled is off.

        >>> TowerConfig(embedding_dim=64).part_dims()
        {'term': 64}
        >>> TowerConfig(embedding_dim=64, text=TextEncoderConfig(enabled=True)).part_dims()
        {'term': 43, 'text': 21}

        Raises:
            ConfigError: If no part is on, none reads queries, or one gets no dimension.
        """
        words = {"term": (self.term.enabled, self.term.share), "text": (self.text.is_on, self.text.share)}
        others = {
            "graph": (self.graph.enabled, self.graph.share),
            "context": (self.context.enabled, self.context.share),
        }
        shares = {name: share for name, (is_on, share) in {**words, **others}.items() if is_on}
        if not any(name in shares for name in words):
            raise ConfigError("At least one part must be on", remedy="Set term.enabled or text.enabled to true.")
        if not self.query_words:
            raise ConfigError(
                "At least one part must read the words of queries",
                received={"term.enabled": self.term.enabled, "text.queries": self.text.queries},
                remedy="Set term.enabled or text.queries to true.",
            )
        names = list(shares)
        dims = {name: int(self.embedding_dim * shares[name] / sum(shares.values())) for name in names}
        dims[names[0]] += self.embedding_dim - sum(dims.values())
        if min(dims.values()) < 1:
            raise ConfigError(
                "Every part that is on must get a dimension",
                received={"embedding_dim": self.embedding_dim, **{f"{name}.share": shares[name] for name in names}},
                remedy="Raise embedding_dim or the smaller share.",
            )
        return dims
