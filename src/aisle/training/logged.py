"""Training pairs and validation queries from a mined search log."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from jaxtyping import Int64

from aisle.core.ragged import expand_slices
from aisle.measures import Qrels
from aisle.mining import MinedLog
from aisle.tables import STAGE_GRADES, Stage
from aisle.training.judged import POSITIVE_GRADE
from aisle.training.pairs import TrainingPairs
from aisle.training.validation_sets import spread

__all__ = ["LEAST_ORDERED", "logged_pairs", "logged_validation"]

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


def logged_validation(mined: MinedLog, *, most: int) -> tuple[pa.Array, Qrels, str]:
    """Return queries of the validation window with what was ordered after them, or clicked where orders are few.

    Args:
        mined: The mined log; only its validation window is read.
        most: Most queries, drawn evenly.

    Returns:
        Distinct query texts; their relevant products, graded; and in words what they are.
    """
    examples = mined.table("examples", "validation")
    row, outcomes, position = _outcomes(mined, examples, "validation")
    grade = outcomes.column("grade").to_numpy()[position]
    is_ordered = grade >= STAGE_GRADES[Stage.ORDERED]
    enough = len(np.unique(row[is_ordered])) >= LEAST_ORDERED
    kept = is_ordered if enough else grade >= POSITIVE_GRADE
    query = np.asarray(examples.column("query_index").to_numpy(), np.int64)[row[kept]]
    distinct, query = np.unique(query, return_inverse=True)
    chosen = spread(np.ones(len(distinct), bool), most=most)
    place = np.full(len(distinct), -1, np.int64)
    place[chosen] = np.arange(len(chosen))
    is_chosen = place[query] >= 0
    qrels = Qrels.from_triples(
        query_index=place[query][is_chosen],
        product_index=outcomes.column("product_index").to_numpy().astype(np.int64)[position[kept]][is_chosen],
        grade=grade[kept][is_chosen].astype(np.float64),
        num_queries=len(chosen),
    )
    texts = mined.table("queries").column("text").combine_chunks().take(pa.array(distinct[chosen]))
    return texts, qrels, f"{'orders' if enough else 'clicks'} of the validation window"


def _outcomes(
    mined: MinedLog, examples: pa.Table, split: str
) -> tuple[Int64[np.ndarray, " outcomes"], pa.Table, Int64[np.ndarray, " outcomes"]]:
    """Return for every outcome of the examples its example's row, the table of outcomes, and its place there."""
    start, end = (examples.column(f"outcome_{side}").to_numpy().astype(np.int64) for side in ("start", "end"))
    position, _ = expand_slices(start, end)
    return np.repeat(np.arange(examples.num_rows), end - start), mined.table("outcomes", split), position
