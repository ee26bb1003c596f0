"""Settings of training."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt

from aisle.core.errors import ConfigError
from aisle.training.loss_config import DynamicConfig, HingeConfig, StageConfig
from aisle.training.warm_config import WarmConfig

__all__ = ["PairConfig", "TrainConfig"]


@dataclass(frozen=True)
class PairConfig:
    """Where training pairs come from."""

    source: Literal["auto", "log", "judgments", "catalogue"] = "auto"
    """`auto` takes the mined log where there is one, else judged training pairs where there are some with stages, and
    pseudo-queries beside them, else pseudo-queries alone."""

    by_search: bool = True
    """Whether a log is learnt search by search, with its snapshots, places and histories: the channels graph, context
    and history need it. False: as pairs of query and product, which is faster."""

    pseudo_per_product: Annotated[int, Ge(1)] = 40
    """Pseudo-queries cut from each product, where there is no log. More: less over-fitting, longer epochs."""

    pseudo_beside_log: Annotated[int, Ge(0)] = 0
    """Pseudo-queries cut from each product beside a log. They tell of products that nobody has met yet."""

    judged_beside_log: bool = False
    """Whether judged training pairs are learnt beside a log."""

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

    min_steps: Annotated[int, Ge(1)] = 250
    """Steps that a small shop gets too: where epochs and batch_size come to fewer, batches become smaller, not under
    64, and then epochs more. 1 switches it off."""

    max_minutes: Annotated[float, Gt(0)] = 30.0
    """Bound on training time, in minutes. The steps that fit are planned early, so the step size still falls."""

    temperature: Annotated[float, Gt(0)] = 1 / 30
    """Divides similarities in the softmax. Smaller: harder negatives weigh more (1/30: Etsy's, as a starting point)."""

    pseudo_share: Annotated[float, Ge(0), Lt(1)] = 0.2
    """Share of a batch's rows that are pseudo-queries, where some stand beside a log that is learnt by search."""

    judged_share: Annotated[float, Ge(0), Lt(1)] = 0.1
    """Share of a batch's rows that are judged pairs, where some stand beside a log that is learnt by search."""

    batch_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of the loss against in-batch negatives (a_b)."""

    uniform_weight: Annotated[float, Ge(0)] = 0.5
    """Weight of the loss against uniform negatives (a_u)."""

    num_uniform: Annotated[int, Ge(1)] = 256
    """Uniform negatives per batch, shared by its rows; they cost encoding."""

    hard_weight: Annotated[float, Ge(0)] = 0.0
    """Weight of the loss against the hardest in-batch negatives of each row (a_h); with a log trained by search."""

    num_hard: Annotated[int, Ge(1)] = 20
    """Hardest in-batch negatives of each row."""

    dynamic_weight: Annotated[float, Ge(0)] = 0.0
    """Weight of the loss against dynamic negatives (a_d), which the current model ranks high; 0: off. By search."""

    dynamic: DynamicConfig = field(default_factory=DynamicConfig)
    stages: StageConfig = field(default_factory=StageConfig)
    hinge: HingeConfig = field(default_factory=HingeConfig)

    anneal_warmup_share: Annotated[float, Ge(0), Le(1)] = 0.0
    """Share of the steps with uniform negatives alone, at weight 1; the others then rise in a line. By search."""

    anneal_end_share: Annotated[float, Ge(0), Le(1)] = 0.0
    """Share of the steps at which all sources have their weights; 0 together with the warm-up: from the beginning."""

    purchase_factor: Annotated[float, Ge(0), Le(1)] = 0.5
    """What a product counts as a negative that others bought for the query: 0 nothing, 1 as any other. By search."""

    ranking_weight: Annotated[float, Ge(0)] = 3.0
    """Weight of the ranking loss (β) over what was acted on and what was skipped in one search; 0: off. By search."""

    ranking_temperature: Annotated[float, Gt(0)] = 1 / 30
    """Divides differences of scores in the ranking loss."""

    ranking_margin: Annotated[float, Ge(0)] = 0.1
    """Margin of the ranking loss, in units of the score."""

    num_skipped: Annotated[int, Ge(0)] = 256
    """Skipped products per batch for the ranking loss; they cost encoding. 0: it compares stages of positives alone."""

    propensity_weighting: bool = False
    """Whether the ranking loss weighs what was acted on by 1/propensity, where the log tells it. By search."""

    propensity_most: Annotated[float, Ge(1)] = 10.0
    """Most that 1/propensity counts. Larger: less bias by the place, more variance."""

    hinge_weight: Annotated[float, Ge(0)] = 0.0
    """Weight of the multi-part hinge (γ), which gives a score the same meaning under every query; 0: off. By search."""

    table_refresh_steps: Annotated[int, Ge(1)] = 200
    """Steps after which the vectors of neighbours and histories are encoded anew. More: faster, older vectors."""

    false_negative_margin: float | None = None
    """In-batch columns, the hard ones among them, that score above the row's positive minus this are left out; in units
    of the score, below 0 leaves out only what scores that far above the positive. None: none are left out."""

    prefix_dims: tuple[int, ...] = ()
    """Served sizes below the full one that are trained beside it (Matryoshka); empty: the full size alone."""

    prefix_weight: Annotated[float, Ge(0)] = 0.3
    """What the loss of each smaller size counts beside that of the full size."""

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

    chunk_size: Annotated[int, Ge(0)] = 0
    """Rows that are encoded at once; 0: all of a batch. Smaller: a large batch fits into memory, a step takes a third
    longer, as each row is encoded twice. It changes no gradient but for drop-out's draws."""

    sparse_gradients: bool = True
    """Whether gradients of tables hold the rows of the batch alone. False: whole tables, whose sum over many processes
    takes no longer than over two. What is learnt is the same."""

    validations_per_epoch: Annotated[int, Ge(1)] = 2
    """How often recall and nDCG of the full catalogue are measured on validation queries. Where min_steps adds epochs,
    there are as many validations as without them."""

    stop_measure: Literal["R@10", "R@100", "nDCG@10"] | None = None
    """Measure by which the best weights are kept and training stops; on a small catalogue at a tenth of it. None: R@10
    where a log is learnt search by search, whose R@100 is near 1 after one validation; else R@100."""

    patience: Annotated[int, Ge(1)] = 3
    """Validations without a new best after which training stops."""

    max_validation_queries: Annotated[int, Ge(1)] = 2_000
    """Most validation queries, drawn evenly."""

    checkpoint_minutes: Annotated[float, Gt(0)] = 1.0
    """Time between checkpoints, in minutes; a killed run resumes from the last."""

    bf16: bool = True
    """Whether dense layers run in bfloat16 where the processor has instructions for it."""

    tensorboard: bool = False
    """Whether training writes curves for TensorBoard, into the workspace's folder `runs`. It changes no result: a model
    that is there already is not trained again for it."""

    rate_factor: Annotated[float, Gt(0)] = 1.0
    """Factor on the step sizes of all parts, tables and the fusion."""

    warm: WarmConfig = field(default_factory=WarmConfig)

    def __post_init__(self) -> None:
        self._check_sources()
        if self.pseudo_share + self.judged_share >= 1:
            raise ConfigError(
                "Shares of a batch beside the log's own rows must leave room for these",
                received={"train.pseudo_share": self.pseudo_share, "train.judged_share": self.judged_share},
                remedy="Give shares that add up to less than 1.",
            )
        anneals = self.anneal_end_share > 0
        if self.anneal_warmup_share > self.anneal_end_share or (anneals and self.uniform_weight == 0):
            raise ConfigError(
                "Annealing begins with uniform negatives, and ends no earlier than its warm-up",
                received={
                    "train.uniform_weight": self.uniform_weight,
                    "train.anneal_warmup_share": self.anneal_warmup_share,
                    "train.anneal_end_share": self.anneal_end_share,
                },
                remedy="Give uniform_weight a value above 0 and anneal_end_share one of at least the warm-up's.",
            )

    def _check_sources(self) -> None:
        weights = {
            f"train.{name}_weight": getattr(self, f"{name}_weight") for name in ("batch", "uniform", "hard", "dynamic")
        }
        if not any(weights.values()):
            raise ConfigError(
                "At least one source of negatives must have a weight above 0",
                received=weights,
                remedy="Give one of them a weight: train.batch_weight=1.",
            )

    def from_model(self) -> TrainConfig:
        """Return the settings of a run that goes on from a model: one epoch, which holds all of its passes."""
        warm = self.warm
        return replace(
            self,
            epochs=1,
            min_steps=1,
            rate_factor=self.rate_factor * warm.rate_factor,
            warmup_share=warm.warmup_share,
            validations_per_epoch=warm.validations,
        )

    @property
    def by_search_only(self) -> dict[str, float]:
        """What is switched on that has a meaning only where a log is learnt search by search."""
        asked = {
            "train.dynamic_weight": self.dynamic_weight,
            "train.hinge_weight": self.hinge_weight,
            "train.propensity_weighting": self.propensity_weighting,
        }
        return {name: value for name, value in asked.items() if value}
