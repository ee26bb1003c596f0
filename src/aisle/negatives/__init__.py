"""What turns a sampled column into a fair negative.

Samplers (uniform, hard in-batch, dynamic), the expected counts for the logQ correction, masks for copies of the
positive, for known positives and for products that answer a query equally well, and weights for what others bought.
"""

from aisle.negatives.dynamic import DynamicDraw, DynamicNegatives, DynamicPool, VectorSearch
from aisle.negatives.hard import hard_in_batch
from aisle.negatives.masks import (
    mask_above,
    mask_copies,
    mask_known_positives,
    mask_listed,
    mask_matching_products,
    mask_repeats,
    purchase_log_weight,
)
from aisle.negatives.positives import PositiveSets, searcher_groups
from aisle.negatives.sampling import UniformNegatives, in_batch_log_count, products_on_sale

__all__ = [
    "DynamicDraw",
    "DynamicNegatives",
    "DynamicPool",
    "PositiveSets",
    "UniformNegatives",
    "VectorSearch",
    "hard_in_batch",
    "in_batch_log_count",
    "mask_above",
    "mask_copies",
    "mask_known_positives",
    "mask_listed",
    "mask_matching_products",
    "mask_repeats",
    "products_on_sale",
    "purchase_log_weight",
    "searcher_groups",
]
