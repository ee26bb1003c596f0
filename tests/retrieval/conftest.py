import numpy as np
import pytest

from aisle.core.ranking import NO_PRODUCT, Ranking


class FixedRetriever:
    """A retriever that answers every query from a table: text → list of (product, score)."""

    def __init__(self, answers, name="fixed"):
        self._answers = answers
        self.name = name
        self.asked = []

    def retrieve(self, queries, *, k):
        self.asked.append((list(queries.texts), k))
        return ranking_of([self._answers.get(text, []) for text in queries.texts], k=k)


def ranking_of(rows, *, k):
    index = np.full((len(rows), k), NO_PRODUCT, np.int64)
    score = np.full((len(rows), k), -np.inf, np.float32)
    for row, found in enumerate(rows):
        for place, (product, value) in enumerate(found[:k]):
            index[row, place], score[row, place] = product, value
    return Ranking(index, score)


@pytest.fixture(name="ranking_of")
def ranking_of_fixture():
    return ranking_of


@pytest.fixture
def fixed_retriever():
    return FixedRetriever
