"""From training pairs to a trained model: pairs, batches, optimisers, the loop with its checkpoints."""

from aisle.training.config import PairConfig, TrainConfig
from aisle.training.data import TrainingData, Validation
from aisle.training.judged import judged_pairs
from aisle.training.pairs import TrainingPairs, split_queries
from aisle.training.pseudo_queries import pseudo_query_pairs
from aisle.training.trainer import TrainingResult, train

__all__ = [
    "PairConfig",
    "TrainConfig",
    "TrainingData",
    "TrainingPairs",
    "TrainingResult",
    "Validation",
    "judged_pairs",
    "pseudo_query_pairs",
    "split_queries",
    "train",
]
