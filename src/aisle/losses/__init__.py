"""Training objectives as pure functions of tensors.

No loss owns a model, a sampler or a configuration: each takes scores, masks and plain numbers and returns a
loss that can be tested on two tensors.
"""

from aisle.losses.retrieval import NegativeSource, retrieval_loss
from aisle.losses.sampled_softmax import sampled_softmax_loss

__all__ = ["NegativeSource", "retrieval_loss", "sampled_softmax_loss"]
