"""Settings of the towers, and how dimensions are dealt out to the parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Ge

from aisle.core.errors import ConfigError
from aisle.encoders.config import TermEncoderConfig, TextEncoderConfig

__all__ = ["TowerConfig"]


@dataclass(frozen=True)
class TowerConfig:
    """Which parts there are and how they are fused."""

    embedding_dim: Annotated[int, Ge(2)] = 256
    """Served dimensions, all parts together. Larger: better recall, more memory and slower search."""

    fusion: Literal["post", "concat"] = "post"
    """`post` weighs similarities late (JD's style); `concat` projects concatenated parts (Etsy's)."""

    term: TermEncoderConfig = field(default_factory=TermEncoderConfig)
    text: TextEncoderConfig = field(default_factory=TextEncoderConfig)

    def part_dims(self) -> dict[str, int]:
        """Deal out the served dimensions to the parts that are on, by share; they sum to `embedding_dim`.

        >>> TowerConfig(embedding_dim=64).part_dims()
        {'term': 64}
        >>> TowerConfig(embedding_dim=64, text=TextEncoderConfig(enabled=True)).part_dims()
        {'term': 32, 'text': 32}

        Raises:
            ConfigError: If no part is on, or one gets no dimension.
        """
        is_on = {"term": self.term.enabled, "text": self.text.is_on}
        shares = {name: part.share for name, part in (("term", self.term), ("text", self.text)) if is_on[name]}
        if not shares:
            raise ConfigError("At least one part must be on", remedy="Set term.enabled or text.enabled to true.")
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
