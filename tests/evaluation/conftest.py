"""A tiny judged catalogue and retrievers with fixed answers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from aisle.core.ranking import NO_PRODUCT, QueryBatch, Ranking
from aisle.measures import Qrels


@dataclass
class FixedRetriever:
    """Answers every known text with the same products; notes the k and the batch sizes it was asked for."""

    name: str
    answers: dict[str, Sequence[int]]

    def __post_init__(self):
        self.asked: list[tuple[int, int]] = []

    def retrieve(self, queries: QueryBatch, *, k: int) -> Ranking:
        self.asked.append((len(queries), k))
        products = np.full((len(queries), k), NO_PRODUCT, dtype=np.int64)
        for row, text in enumerate(queries.texts):
            answer = list(self.answers.get(text, ()))[:k]
            products[row, : len(answer)] = answer
        score = np.where(products == NO_PRODUCT, -np.inf, -np.arange(k, dtype=np.float32))
        return Ranking(products, score.astype(np.float32))


@pytest.fixture
def texts() -> list[str]:
    return ["lamp", "dress", "phone"]


@pytest.fixture
def qrels() -> Qrels:
    """Lamp: products 0 (grade 3) and 1 (grade 1). Dress: 2 (grade 3). Phone: 3 at grade 0 only."""
    return Qrels.from_triples(
        query_index=np.array([0, 0, 1, 2]),
        product_index=np.array([0, 1, 2, 3]),
        grade=np.array([3.0, 1.0, 3.0, 0.0]),
        num_queries=3,
    )


@pytest.fixture
def lexical() -> FixedRetriever:
    return FixedRetriever("lexical", {"lamp": [0, 1, 5], "dress": [4, 2], "phone": [3]})


@pytest.fixture
def semantic() -> FixedRetriever:
    return FixedRetriever("semantic", {"lamp": [1, 6], "dress": [2, 4]})


@pytest.fixture
def fixed_retriever() -> type[FixedRetriever]:
    return FixedRetriever
