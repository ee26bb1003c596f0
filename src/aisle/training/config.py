"""Settings of training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le

__all__ = ["PairConfig", "TrainConfig"]


@dataclass(frozen=True)
class PairConfig:
    """Where training pairs come from."""

    source: Literal["auto", "log", "judgments", "catalogue"] = "auto"
    """`auto` takes the mined log where there is one, else judged training pairs where there are some with stages, and
    pseudo-queries beside them, else pseudo-queries alone."""

    pseudo_per_product: Annotated[int, Ge(1)] = 40
    """Pseudo-queries cut from each product, where there is no log. More: less over-fitting, longer epochs."""

    pseudo_beside_log: Annotated[int, Ge(0)] = 0
    """Pseudo-queries cut from each product beside a log. They tell of products that nobody has met yet."""

    max_pseudo_pairs: Annotated[int, Ge(1)] = 4_000_000
    """Most pseudo-query pairs of a large catalogue; bounds memory and time."""

    max_words: Annotated[int, Ge(1), Le(8)] = 4
    """Longest pseudo-query, in words. Shoppers mostly type one to four."""

    validation_share: Annotated[float, Gt(0), Le(0.5)] = 0.1
    """Share of the training queries that validate, chosen by hash, where no validation split is given."""


@dataclass(frozen=True)
class TrainConfig:
    """The loop: losses, steps and stopping."""

    batch_size: Annotated[int, Ge(2)] = 512
    """Pairs per step. Larger: more in-batch negatives, fewer steps."""

    epochs: Annotated[int, Ge(1)] = 2
    """Most passes over the training pairs."""

    max_minutes: Annotated[float, Gt(0)] = 30.0
    """Bound on training time, in minutes. The steps that fit are planned early, so the step size still falls."""

    temperature: Annotated[float, Gt(0)] = 1 / 30
    """Divides similarities in the softmax. Smaller: harder negatives weigh more (1/30: Etsy's, as a starting point)."""

    batch_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the loss against in-batch negatives (a_b)."""

    uniform_weight: Annotated[float, Ge(0)] = 0.5
    """Weight of the loss against uniform negatives (a_u)."""

    num_uniform: Annotated[int, Ge(1)] = 256
    """Uniform negatives per batch, shared by its rows; they cost encoding."""

    log_q: bool = True
    """Whether in-batch negatives are corrected for how often they stand in a batch."""

    fusion_learning_rate: Annotated[float, Gt(0)] = 1e-3
    """Peak step size of the fusion's heads and gates."""

    weight_decay: Annotated[float, Ge(0)] = 0.01
    """Decoupled weight decay of dense matrices; tables have none."""

    warmup_share: Annotated[float, Ge(0), Le(1)] = 0.05
    """Share of the planned steps over which the step size rises."""

    gradient_clip: Annotated[float, Gt(0)] = 1.0
    """Largest gradient norm, taken apart for dense parts and for the sparse table."""

    validations_per_epoch: Annotated[int, Ge(1)] = 2
    """How often full-catalogue recall is measured on validation queries: at 100, or a tenth of a small catalogue."""

    patience: Annotated[int, Ge(1)] = 3
    """Validations without a new best after which training stops."""

    max_validation_queries: Annotated[int, Ge(1)] = 2_000
    """Most validation queries, drawn evenly."""

    checkpoint_minutes: Annotated[float, Gt(0)] = 1.0
    """Time between checkpoints, in minutes; a killed run resumes from the last."""

    bf16: bool = True
    """Whether dense layers run in bfloat16 where the processor has instructions for it."""
