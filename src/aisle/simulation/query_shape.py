"""The shape of a set of queries: how long they are and how varied their words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.errors import SourceError
from aisle.core.text import normalise_texts, word_lists

__all__ = ["MOST_WORDS", "QueryShape", "query_shape", "read_real_queries"]

MOST_WORDS = 12
"""Queries of this length and longer ones are counted together."""
_SAMPLE = 5_000
"""Distinct queries among which words are counted: the more queries, the rarer a new word."""
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)


@dataclass(frozen=True)
class QueryShape:
    """What a set of distinct queries looks like."""

    num_queries: int
    words: tuple[float, ...]
    """Share of the queries with 1, 2, … words; the last counts the longer ones too."""
    mean_words: float
    character_quantiles: tuple[float, ...]
    """Characters at 10, 25, 50, 75, 90 and 99 %."""
    distinct_words: int
    """Distinct words in at most 5,000 of the queries."""
    words_seen_once: float
    """Share of these words that occur once."""
    with_digit: float
    """Share of the queries with a digit."""


def query_shape(queries: pa.Array | Sequence[str]) -> QueryShape:
    """Describe distinct queries, after normalisation; a repeated one counts once.

    The words are counted in a sample that depends on the queries only, so that sets of different sizes compare.

    Raises:
        SourceError: If there is no query.
    """
    distinct = pc.unique(normalise_texts(pa.array(queries, pa.string()).drop_null()))
    if not len(distinct):
        raise SourceError("There must be queries", received={"queries": 0}, remedy="Name another file.")
    lists = word_lists(distinct)
    num_words = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
    characters = pc.utf8_length(distinct).to_numpy(zero_copy_only=False)
    counts = np.bincount(np.clip(num_words, 1, MOST_WORDS), minlength=MOST_WORDS + 1)[1:]
    sample = np.random.default_rng(0).permutation(len(distinct))[:_SAMPLE]
    words = pc.value_counts(lists.take(pa.array(np.sort(sample))).flatten())
    return QueryShape(
        num_queries=len(distinct),
        words=tuple((counts / len(distinct)).round(4).tolist()),
        mean_words=round(float(num_words.mean()), 3),
        character_quantiles=tuple(np.quantile(characters, _QUANTILES).round(1).tolist()),
        distinct_words=len(words),
        words_seen_once=round(pc.mean(pc.equal(words.field("counts"), 1).cast(pa.float64())).as_py(), 3),
        with_digit=round(pc.mean(pc.match_substring_regex(distinct, r"\d").cast(pa.float64())).as_py(), 3),
    )


def read_real_queries(folder: Path) -> pa.Array:
    """Read the real query strings of ESCI: `queries_train.csv` and `queries_test.csv` with a column `query_string`.

    Raises:
        SourceError: If a file is missing or has no such column.
    """
    files = [folder / f"queries_{part}.csv" for part in ("train", "test")]
    query = "SELECT query_string FROM read_csv($files, header = true, all_varchar = true, quote = '\"')"
    try:
        with duckdb.connect() as connection:
            table = connection.sql(query, params={"files": [str(file) for file in files]}).to_arrow_table()
    except duckdb.Error as error:
        raise SourceError(
            "Real queries must be in queries_train.csv and queries_test.csv, in a column query_string",
            received={"folder": str(folder), "reason": str(error).splitlines()[0]},
            remedy="Name the folder that holds them.",
        ) from error
    return table.column("query_string").combine_chunks()
