"""Reading runs, of this or of any other program, as Parquet or in TREC's format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aisle.core.errors import SourceError
from aisle.core.ids import IdMap
from aisle.core.ranking import Ranking
from aisle.evaluation import known_indices, ranking_of_rows, read_named_run

__all__ = ["read_run_file"]

_NEEDED = ("query_id", "product_id", "score")


def read_run_file(path: Path, *, ids: IdMap, names: Sequence[str]) -> Ranking:
    """Read the results of named queries; those without a row get an empty one.

    Args:
        path: Parquet file with `query_id`, `product_id`, `score` and perhaps `rank`, as `aisle retrieve` writes; every
            other name is read in TREC's format.
        ids: Ids of the catalogue.
        names: Ids of the queries, row by row.

    Raises:
        SourceError: If the file cannot be read, a query or a product is unknown, or a product stands twice.
    """
    if path.suffix != ".parquet":
        return read_named_run(path, ids=ids, names=names)
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise SourceError(
            "A run must be a whole Parquet file",
            received={"path": str(path), "problem": str(error)},
            remedy="Write it again with `aisle retrieve --out run.parquet`.",
        ) from error
    missing = [name for name in _NEEDED if name not in table.column_names]
    if missing:
        raise SourceError(
            f"A run in Parquet must have the columns {', '.join(_NEEDED)}",
            received={"path": str(path), "missing": missing, "columns": table.column_names},
            remedy="Rename its columns.",
        )
    score = _numbers(path, table, "score", pa.float64())
    rank = _numbers(path, table, "rank", pa.int64()) if "rank" in table.column_names else None
    return ranking_of_rows(
        query=known_indices(path, _texts(table, "query_id"), IdMap(names), what="query_id"),
        product=known_indices(path, _texts(table, "product_id"), ids, what="product_id"),
        score=score,
        rank=rank,
        ids=ids,
        num_queries=len(names),
    )


def _texts(table: pa.Table, name: str) -> pa.Array:
    return table.column(name).combine_chunks().cast(pa.string())


def _numbers(path: Path, table: pa.Table, name: str, kind: pa.DataType) -> np.ndarray:
    try:
        numbers = np.asarray(table.column(name).cast(kind).to_numpy())
        problem = "" if table.column(name).null_count == 0 and np.isfinite(numbers).all() else "a value is missing"
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        problem = str(error)
    if problem:
        raise SourceError(
            "Ranks and scores must be finite numbers",
            received={"path": str(path), "column": name, "problem": problem},
            remedy="Mend the program that wrote it.",
        )
    return numbers
