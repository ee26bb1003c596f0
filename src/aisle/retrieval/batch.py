"""Answering a batch of query texts, each distinct one once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.ranking import NO_PRODUCT, QueryBatch, Ranking, check_k
from aisle.core.text import normalise_texts

__all__ = ["answer_distinct"]


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
    asked = pa.array(dict.fromkeys(queries.texts), pa.string())
    distinct = asked.filter(pc.not_equal(normalise_texts(asked), "")).to_pylist()
    row_of = {text: row for row, text in enumerate(distinct)}
    rows = np.array([row_of.get(text, -1) for text in queries.texts], np.int64)
    index = np.full((len(distinct) + 1, k), NO_PRODUCT, np.int64)
    score = np.full((len(distinct) + 1, k), -np.inf, np.float32)
    if distinct:
        ranking = answer(distinct)
        index[:-1], score[:-1] = ranking.product_index, ranking.score
    # Row -1 is the last one, which stays empty: the row of blank texts.
    return Ranking(index[rows], score[rows])
