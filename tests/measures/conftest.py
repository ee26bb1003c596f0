"""Small rankings and judgments that a person can check."""

import numpy as np
import pytest

from aisle.core.ranking import Ranking
from aisle.measures import Qrels


@pytest.fixture
def ranking() -> Ranking:
    """Two queries; the second has only two results."""
    product_index = np.array([[4, 2, 9, 7], [2, 5, -1, -1]])
    score = np.array([[4, 3, 2, 1], [2, 1, -np.inf, -np.inf]], dtype=np.float32)
    return Ranking(product_index, score)


@pytest.fixture
def qrels() -> Qrels:
    """Query 0: product 2 at grade 3, 7 at 1, 8 (not retrieved) at 2, 9 at 0. Query 1: product 2 at grade 0."""
    return Qrels.from_triples(
        query_index=np.array([0, 0, 0, 0, 1]),
        product_index=np.array([2, 7, 8, 9, 2]),
        grade=np.array([3.0, 1.0, 2.0, 0.0, 0.0]),
        num_queries=2,
    )
