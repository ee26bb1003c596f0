"""Answering a batch of query texts, each distinct one once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64

from aisle.core.ranking import NO_PRODUCT, QueryBatch, Ranking, check_k
from aisle.core.text import normalise_text, normalise_texts

__all__ = ["answer_distinct", "distinct_texts", "empty_rows", "repeat_rows"]


def answer_distinct(queries: QueryBatch, *, k: int, answer: Callable[[Sequence[str]], Ranking]) -> Ranking:
    """Answer each distinct text once and repeat its ranking wherever it stands; a blank text has no results.

    Searches of a log repeat their queries: the frequent ones are asked thousands of times.

    Args:
        queries: Any texts.
        k: Places per query.
        answer: Ranks distinct, non-blank texts, k places each. Not called where there are none.

    Raises:
        UsageError: If k is below 1.
    """
    check_k(k)
    distinct, rows = distinct_texts(queries.texts)
    return repeat_rows(answer(distinct), rows) if distinct else empty_rows(len(rows), k)


def distinct_texts(texts: Sequence[str]) -> tuple[list[str], Int64[np.ndarray, " texts"]]:
    """Return the distinct texts that are not blank, and where each text stands among them; -1 for a blank one.

    >>> distinct, rows = distinct_texts(["sofa", " ", "sofa"])
    >>> distinct, rows.tolist()
    (['sofa'], [0, -1, 0])
    """
    if len(texts) == 1:  # a live search: columns would cost ten times as much
        return (list(texts), np.zeros(1, np.int64)) if normalise_text(texts[0]) else ([], np.full(1, -1))
    asked = pa.array(dict.fromkeys(texts), pa.string())
    distinct = asked.filter(pc.not_equal(normalise_texts(asked), "")).to_pylist()
    row_of = {text: row for row, text in enumerate(distinct)}
    return distinct, np.array([row_of.get(text, -1) for text in texts], np.int64)


def repeat_rows(ranking: Ranking, rows: Int64[np.ndarray, " queries"]) -> Ranking:
    """Give each query the ranking of its row; -1 is a query without results."""
    if rows.tolist() == [0]:
        return ranking
    empty = empty_rows(1, ranking.k)
    # Row -1 is the last one: the empty one.
    index = np.concatenate([ranking.product_index, empty.product_index])
    score = np.concatenate([ranking.score, empty.score])
    return Ranking(index[rows], score[rows])


def empty_rows(num_queries: int, k: int) -> Ranking:
    """Return rankings without any product."""
    shape = (num_queries, k)
    return Ranking(np.full(shape, NO_PRODUCT, np.int64), np.full(shape, -np.inf, np.float32))
