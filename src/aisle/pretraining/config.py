"""Settings of pre-training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Le, Lt

from aisle.core.errors import ConfigError

__all__ = ["PretrainConfig"]


@dataclass(frozen=True)
class PretrainConfig:
    """Pre-training of the transformer on the shop's own texts, by `aisle pretrain`; `text.init=pretrained` takes it."""

    init: str | None = None
    """Hugging Face encoder to start from, a folder or a hub name. None starts a small one from scratch, of the sizes
    `text.num_layers`, `hidden_dim` and `num_heads`, with a vocabulary learnt from the shop's own texts."""

    masked_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of guessing hidden tokens of product texts and queries; 0: off."""

    contrastive_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of telling a query's product from those of the other rows: products that were clicked or bought after the
    query in the log, else each product's title and the rest of its text; 0: off."""

    sequence_weight: Annotated[float, Ge(0)] = 0.0
    """Weight of writing, from a product's text, the queries that led to purchases of it; 0: off. Needs orders."""

    mask_share: Annotated[float, Gt(0), Le(0.5)] = 0.15
    """Share of the tokens that are to be guessed. More: more to learn from each text, with less context."""

    temperature: Annotated[float, Gt(0)] = 1 / 20
    """Divides similarities in the contrastive softmax. Smaller: harder negatives weigh more."""

    decoder_layers: Annotated[int, Ge(1)] = 1
    """Layers of what writes queries. It is thrown away; more: it leans less on the encoder."""

    batch_size: Annotated[int, Ge(2)] = 256
    """Texts, pairs and purchases per step, each. Larger: more in-batch negatives, fewer steps."""

    max_steps: Annotated[int, Ge(1)] = 4_000
    """Most steps; the step size falls to its end over those that fit into max_minutes."""

    max_minutes: Annotated[float, Gt(0)] = 10.0
    """Bound on the time, in minutes."""

    learning_rate: Annotated[float, Gt(0)] | None = None
    """Peak step size of the transformer; None takes 5e-5 with `init`, and 1e-3 from scratch."""

    head_learning_rate: Annotated[float, Gt(0)] = 1e-3
    """Peak step size of what is thrown away afterwards: the heads that guess tokens and write queries."""

    weight_decay: Annotated[float, Ge(0)] = 0.01
    """Decoupled weight decay of dense matrices; embeddings have none."""

    warmup_share: Annotated[float, Ge(0), Le(1)] = 0.05
    """Share of the planned steps over which the step size rises."""

    gradient_clip: Annotated[float, Gt(0)] = 1.0
    """Largest gradient norm."""

    held_out_share: Annotated[float, Gt(0), Lt(1)] = 0.05
    """Share of the texts, chosen by hash, that are not learnt from and tell when to stop; pairs go with their query."""

    max_held_out: Annotated[int, Ge(1)] = 2_000
    """Most held-out texts and pairs that are measured, drawn evenly, and most products that a query has to be told
    among."""

    validation_steps: Annotated[int, Ge(1)] = 200
    """Steps after which held-out texts and pairs are measured."""

    patience: Annotated[int, Ge(1)] = 3
    """Validations without a new best after which pre-training stops."""

    checkpoint_minutes: Annotated[float, Gt(0)] = 1.0
    """Time between checkpoints, in minutes; a killed run resumes from the last."""

    bf16: bool = True
    """Whether dense layers run in bfloat16 where the processor has instructions for it."""

    def __post_init__(self) -> None:
        if not any(self.weights.values()):
            raise ConfigError(
                "Pre-training must learn something",
                received={f"pretrain.{name}_weight": weight for name, weight in self.weights.items()},
                remedy="Give one of them a weight above 0.",
            )

    @property
    def weights(self) -> dict[str, float]:
        """Weight of each objective, by name."""
        return {
            "masked": self.masked_weight,
            "contrastive": self.contrastive_weight,
            "sequence": self.sequence_weight,
        }

    @property
    def resolved_learning_rate(self) -> float:
        """The step size that is used."""
        if self.learning_rate is not None:
            return self.learning_rate
        return 5e-5 if self.init is not None else 1e-3
