"""The generated catalogue and its graded queries, in one call."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from aisle.core.errors import UsageError
from aisle.simulation.judgments import judge_queries
from aisle.simulation.listing import list_products
from aisle.simulation.loading import load_vocabulary
from aisle.simulation.queries import draw_queries
from aisle.simulation.truth import draw_truth
from aisle.simulation.vocabulary import Vocabulary

__all__ = ["MAX_PRODUCTS", "SimulatedCatalogue", "generate_catalogue"]

MAX_PRODUCTS = 1_000_000
"""Most products of one catalogue; their ids have six digits."""

_QUERIES_PER_PRODUCT = 60 / 5_000
_MIN_QUERIES = 20
_MAX_QUERIES = 300


@dataclass(frozen=True)
class SimulatedCatalogue:
    """A generated shop.

    Attributes:
        products: The products table of the data contract.
        judgments: `query`, `product_id`, `grade` (3 all that is wanted, 2 one aspect amiss, 1 related; products
            without a row are 0), `split` (validation or test), `kind` (exact, paraphrase or attribute).
    """

    products: pa.Table
    judgments: pa.Table


def generate_catalogue(num_products: int, *, seed: int, vocabulary: Vocabulary | None = None) -> SimulatedCatalogue:
    """Generate a catalogue as sellers write it and queries as shoppers type them.

    The two sides use different words for many types and values. Titles have sellers' words only. A part of the
    descriptions (`aisle.simulation.descriptions`) also has the shoppers' word: this is planted, and it is all that a
    model trained on the catalogue alone can learn the gap from. Word matching profits from it too, there.

    Args:
        num_products: Rows of the products table.
        seed: The same seed gives the same tables.
        vocabulary: What is sold; None for the packaged vocabulary.

    Returns:
        Products, and judgments of about 60 queries of each kind per 5,000 products (20 to 300, fewer where a small
        catalogue has no more distinct ones).

    Raises:
        UsageError: If `num_products` is not between 1 and `MAX_PRODUCTS`.
    """
    if not 1 <= num_products <= MAX_PRODUCTS:
        raise UsageError(
            f"num_products must lie between 1 and {MAX_PRODUCTS}",
            received={"num_products": num_products},
            remedy="Ask for another number of products.",
        )
    truth = draw_truth(vocabulary or load_vocabulary(), num_products, seed=seed)
    num_queries = min(max(round(num_products * _QUERIES_PER_PRODUCT), _MIN_QUERIES), _MAX_QUERIES)
    queries = draw_queries(truth, num_queries, seed=seed)
    return SimulatedCatalogue(
        products=list_products(truth, seed=seed), judgments=judge_queries(truth, queries, seed=seed)
    )
