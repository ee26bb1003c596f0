"""Training objectives as pure functions of tensors.

No loss owns a model, a sampler or a configuration: each takes scores, masks and plain numbers and returns a
loss that can be tested on two tensors.
"""

from aisle.losses.annealing import SourceWeights, annealed_weights
from aisle.losses.hinge import HingeThresholds, multi_part_hinge_loss
from aisle.losses.ranking import inverse_propensity, ranking_loss
from aisle.losses.retrieval import NegativeSource, retrieval_loss
from aisle.losses.sampled_softmax import sampled_softmax_loss

__all__ = [
    "HingeThresholds",
    "NegativeSource",
    "SourceWeights",
    "annealed_weights",
    "inverse_propensity",
    "multi_part_hinge_loss",
    "ranking_loss",
    "retrieval_loss",
    "sampled_softmax_loss",
]
