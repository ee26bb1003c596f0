import numpy as np
import pytest

from aisle.core.errors import UsageError
from aisle.core.ranking import NO_PRODUCT, QueryBatch, Ranking
from aisle.retrieval.batch import answer_distinct, distinct_texts


def by_length(texts):
    """Rank one product per text: the one numbered by its length."""
    lengths = np.array([[len(text), NO_PRODUCT] for text in texts], np.int64)
    return Ranking(lengths, np.where(lengths == NO_PRODUCT, -np.inf, 1.0).astype(np.float32))


def test_each_distinct_text_is_asked_once_and_blank_ones_never():
    asked = []

    def answer(texts):
        asked.extend(texts)
        return by_length(texts)

    ranking = answer_distinct(QueryBatch(["ab", "", "c", "ab", " \t"]), k=2, answer=answer)
    assert asked == ["ab", "c"]
    assert ranking.product_index.tolist() == [[2, -1], [-1, -1], [1, -1], [2, -1], [-1, -1]]
    assert ranking.score[:, 0].tolist() == [1, -np.inf, 1, 1, -np.inf]


@pytest.mark.parametrize("texts", [[], [""], ["", "  "]])
def test_without_a_text_nothing_is_asked(texts):
    ranking = answer_distinct(QueryBatch(texts), k=3, answer=lambda _: pytest.fail("asked"))
    assert ranking.product_index.shape == (len(texts), 3)
    assert (ranking.product_index == NO_PRODUCT).all()


@pytest.mark.parametrize("text", ["ab", " ", "\u00a0", "", "Ａb c"])
def test_one_text_is_treated_as_one_of_many(text):
    distinct, rows = distinct_texts([text])
    of_many, many_rows = distinct_texts([text, "other"])
    assert ([*distinct, "other"], rows.tolist()) == (of_many, many_rows[:1].tolist())


def test_k_below_one_is_refused():
    with pytest.raises(UsageError, match="k must be at least 1"):
        answer_distinct(QueryBatch(["a"]), k=0, answer=by_length)
