"""Training pairs and validation queries from a mined search log."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64

from aisle.core.ragged import expand_slices
from aisle.measures import Qrels
from aisle.mining import MinedLog
from aisle.tables import STAGE_GRADES, Stage
from aisle.training.judged import POSITIVE_GRADE
from aisle.training.pairs import TrainingPairs
from aisle.training.validation_sets import spread

__all__ = [
    "LEAST_ORDERED",
    "known_queries",
    "logged_pairs",
    "logged_validation",
    "searched_pairs",
    "searched_validation",
]

LEAST_ORDERED = 500
"""Validation searches with an order that the early stop needs; with fewer it looks at clicks too, which tell less about
what sells but are enough of them to tell one model from another."""

_FIRST_SNAPSHOT = 1
"""Slice 0 of the training window has no snapshot: it only feeds those of the others."""


def logged_pairs(mined: MinedLog) -> TrainingPairs:
    """Return the positives of the training searches, weighted by stage and, where assisted, by their discount.

    Args:
        mined: The mined log; only its training window is read.
    """
    examples = mined.table("examples", "train")
    row, outcomes, position = _outcomes(mined, examples, "train")
    grade = outcomes.column("grade").to_numpy()[position]
    kept = (grade >= POSITIVE_GRADE) & (examples.column("snapshot").to_numpy()[row] >= _FIRST_SNAPSHOT)
    weight = grade / STAGE_GRADES[Stage.ORDERED] * outcomes.column("weight").to_numpy()[position]
    query = mined.table("queries").column("text").combine_chunks()
    return TrainingPairs.from_texts(
        query.take(pa.array(examples.column("query_index").to_numpy()[row[kept]])),
        outcomes.column("product_index").to_numpy().astype(np.int64)[position[kept]],
        weight[kept].astype(np.float32),
    )


def known_queries(mined: MinedLog) -> int:
    """Return how many queries were searched before the test window; they are numbered by first appearance."""
    indices = [mined.table("examples", split).column("query_index") for split in ("train", "validation")]
    return 1 + max((int(column.to_numpy().max(initial=-1)) for column in indices), default=-1)


def searched_pairs(mined: MinedLog) -> TrainingPairs:
    """Return the pairs of `logged_pairs` with the queries numbered as the log numbers them, none left out."""
    pairs = logged_pairs(mined)
    texts = mined.table("queries").column("text").combine_chunks().slice(0, known_queries(mined))
    number = np.asarray(pc.index_in(pairs.queries, value_set=texts).to_numpy(zero_copy_only=False), np.int64)
    return TrainingPairs(texts, number[pairs.query_index], pairs.product_index, pairs.weight)


def searched_validation(mined: MinedLog, *, most: int) -> tuple[Int64[np.ndarray, " searches"], Qrels, str]:
    """Return searches of the validation window with what was ordered in each, or clicked where orders are few.

    Args:
        mined: The mined log; only its validation window is read.
        most: Most searches, drawn evenly.

    Returns:
        Rows of the window's examples; their relevant products, graded; and in words what they are.
    """
    _, row, product, grade, told = _found(mined)
    distinct, search = np.unique(row, return_inverse=True)
    chosen, qrels = _some(search, product, grade, num_queries=len(distinct), most=most)
    return distinct[chosen], qrels, told


def logged_validation(mined: MinedLog, *, most: int) -> tuple[pa.Array, Qrels, str]:
    """Return queries of the validation window with what was ordered after them, or clicked where orders are few.

    Args:
        mined: The mined log; only its validation window is read.
        most: Most queries, drawn evenly.

    Returns:
        Distinct query texts; their relevant products, graded; and in words what they are.
    """
    examples, row, product, grade, told = _found(mined)
    query = np.asarray(examples.column("query_index").to_numpy(), np.int64)[row]
    distinct, query = np.unique(query, return_inverse=True)
    chosen, qrels = _some(query, product, grade, num_queries=len(distinct), most=most)
    texts = mined.table("queries").column("text").combine_chunks().take(pa.array(distinct[chosen]))
    return texts, qrels, told


def _found(mined: MinedLog) -> tuple[pa.Table, np.ndarray, np.ndarray, np.ndarray, str]:
    """Return the validation window's examples, and row, product and grade of what was found in them."""
    examples = mined.table("examples", "validation")
    row, outcomes, position = _outcomes(mined, examples, "validation")
    grade = outcomes.column("grade").to_numpy()[position]
    is_ordered = grade >= STAGE_GRADES[Stage.ORDERED]
    enough = len(np.unique(row[is_ordered])) >= LEAST_ORDERED
    kept = is_ordered if enough else grade >= POSITIVE_GRADE
    product = outcomes.column("product_index").to_numpy().astype(np.int64)[position[kept]]
    told = f"{'orders' if enough else 'clicks'} of the validation window"
    return examples, row[kept], product, grade[kept], told


def _some(
    query: np.ndarray, product: np.ndarray, grade: np.ndarray, *, num_queries: int, most: int
) -> tuple[Int64[np.ndarray, " chosen"], Qrels]:
    """Draw queries evenly, with their relevant products."""
    chosen = spread(np.ones(num_queries, bool), most=most)
    place = np.full(num_queries, -1, np.int64)
    place[chosen] = np.arange(len(chosen))
    is_chosen = place[query] >= 0
    qrels = Qrels.from_triples(
        query_index=place[query][is_chosen],
        product_index=product[is_chosen],
        grade=grade[is_chosen].astype(np.float64),
        num_queries=len(chosen),
    )
    return chosen, qrels


def _outcomes(
    mined: MinedLog, examples: pa.Table, split: str
) -> tuple[Int64[np.ndarray, " outcomes"], pa.Table, Int64[np.ndarray, " outcomes"]]:
    """Return for every outcome of the examples its example's row, the table of outcomes, and its place there."""
    start, end = (examples.column(f"outcome_{side}").to_numpy().astype(np.int64) for side in ("start", "end"))
    position, _ = expand_slices(start, end)
    return np.repeat(np.arange(examples.num_rows), end - start), mined.table("outcomes", split), position
