"""From the judgments table to the arrays that measures are computed on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64

from aisle.core.errors import TableError, UsageError
from aisle.core.ids import UNKNOWN, IdMap
from aisle.core.text import normalise_texts
from aisle.measures import Qrels

__all__ = ["JudgedQueries"]


@dataclass(frozen=True, eq=False)
class JudgedQueries:
    """The judged queries of one split, with their judgments.

    Attributes:
        texts: Queries in order of first appearance, spelled as they first appear.
        qrels: Judgments, row i for `texts[i]`.
        ids: The catalogue's ids, followed by judged products that the catalogue lacks. A catalogue position is thus
            the same in both.
        num_unknown: Judged products that the catalogue lacks. No system can find them, yet they count as missed:
            leaving them out would flatter every system.
    """

    texts: list[str]
    qrels: Qrels
    ids: IdMap
    num_unknown: int

    @classmethod
    def from_judgments(cls, judgments: pa.Table, ids: IdMap, *, split: str | None) -> JudgedQueries:
        """Group judgments by normalised query text; of several grades for one pair the largest holds.

        Args:
            judgments: Columns `query`, `product_id`, `grade` and perhaps `split`.
            ids: The catalogue.
            split: Rows to take; None for all. A row without a split belongs to "test".

        Raises:
            TableError: If a column is missing, or a value is missing or not a finite grade.
            UsageError: If no row belongs to the split.
        """
        rows = _rows_of_split(judgments, split)
        _check_columns(rows)
        texts, query_index = _group_queries(rows["query"])
        known = ids.index_of(rows["product_id"])
        unknown_ids = pc.unique(rows["product_id"].cast(pa.string()).filter(pa.array(known == UNKNOWN)))
        all_ids = ids
        if len(unknown_ids):
            all_ids = IdMap(pa.concat_arrays([ids.ids, _one_chunk(unknown_ids)]))
        qrels = Qrels.from_triples(
            query_index=query_index,
            product_index=all_ids.index_of(rows["product_id"]),
            grade=rows["grade"].cast(pa.float64()).to_numpy(),
            num_queries=len(texts),
        )
        return cls(texts, qrels, all_ids, len(unknown_ids))


def _rows_of_split(judgments: pa.Table, split: str | None) -> pa.Table:
    if split is None:
        return judgments
    if "split" in judgments.column_names:
        splits = pc.fill_null(judgments["split"].cast(pa.string()), "test")
    else:
        splits = pa.repeat("test", len(judgments))
    rows = judgments.filter(pc.equal(splits, split))
    if not len(rows):
        raise UsageError(
            "The judgments must have rows of the split",
            received={"split": split, "splits": sorted(pc.unique(splits).to_pylist())},
            remedy="Import judgments for it, or name another split.",
        )
    return rows


def _check_columns(rows: pa.Table) -> None:
    wanted = ("query", "product_id", "grade")
    missing = [name for name in wanted if name not in rows.column_names]
    if missing:
        raise TableError(
            f"Judgments must have the columns {', '.join(wanted)}",
            received={"missing": missing, "columns": rows.column_names},
            remedy="Map the file's own column names when importing it.",
        )
    num_null = {name: rows[name].null_count for name in wanted if rows[name].null_count}
    num_bad = pc.sum(pc.invert(pc.is_finite(rows["grade"].cast(pa.float64())))).as_py()
    if num_null or num_bad:
        raise TableError(
            "Every judgment must have a query, a product and a finite grade",
            received={"missing_values": num_null, "grades_not_finite": num_bad or 0},
            remedy="Import the file again: rows that break this are quarantined there.",
        )


def _group_queries(queries: pa.ChunkedArray) -> tuple[list[str], Int64[np.ndarray, " judgments"]]:
    """Give every row the number of its query, counted in order of first appearance."""
    spelled = _one_chunk(queries.cast(pa.string())).dictionary_encode()
    keys = normalise_texts(spelled.dictionary).dictionary_encode()
    key_of_spelling = keys.indices.to_numpy().astype(np.int64)
    _, first_spelling = np.unique(key_of_spelling, return_index=True)
    texts = spelled.dictionary.take(pa.array(first_spelling)).to_pylist()
    return texts, key_of_spelling[spelled.indices.to_numpy()]


def _one_chunk(array: pa.Array | pa.ChunkedArray) -> pa.Array:
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
