"""Products lifted by their quality: `b(p) = clip(⟨w, f(p)⟩)` beside what they say, with w found on validation orders.

`QualityFeatures` scales what is known of products, `CandidatePool` measures a boost on searches that were answered
already, `find_weights` looks for the best and says honestly what it earns, and `with_boost` puts it into the vectors.
"""

from aisle.boosting.candidates import MEASURES, CandidatePool
from aisle.boosting.features import QualityFeatures, mid_ranks, robust_scale
from aisle.boosting.search import FoundWeights, find_weights
from aisle.boosting.vectors import BOOST_PART, boosted_queries, split_boosted, with_boost

__all__ = [
    "BOOST_PART",
    "MEASURES",
    "CandidatePool",
    "FoundWeights",
    "QualityFeatures",
    "boosted_queries",
    "find_weights",
    "mid_ranks",
    "robust_scale",
    "split_boosted",
    "with_boost",
]
