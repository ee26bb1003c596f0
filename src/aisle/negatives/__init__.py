"""What turns a sampled column into a fair negative.

Samplers, the expected counts for the logQ correction, and masks for copies of the positive, for other known
positives and for products that answer a pseudo-query equally well.
"""

from aisle.negatives.masks import PositiveSets, mask_copies, mask_known_positives, mask_matching_products
from aisle.negatives.sampling import UniformNegatives, in_batch_log_count

__all__ = [
    "PositiveSets",
    "UniformNegatives",
    "in_batch_log_count",
    "mask_copies",
    "mask_known_positives",
    "mask_matching_products",
]
