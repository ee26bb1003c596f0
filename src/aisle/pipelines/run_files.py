"""Files of retrieved products, written block by block, and whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aisle.core.errors import UsageError
from aisle.core.ids import IdMap
from aisle.core.ranking import NO_PRODUCT
from aisle.evaluation import run_lines
from aisle.retrieval import Explained

__all__ = ["WriteBlock", "check_run_path", "open_run", "run_rows"]

WriteBlock = Callable[[pa.Table, Explained], None]
"""Writes the results of some queries: a table with `query_id` and `query`, and their answers."""

_PARQUET, _TREC = ".parquet", ".trec"


def check_run_path(path: Path) -> None:
    """Refuse a file that could not be written, before the work that comes first.

    Raises:
        UsageError: If the name ends neither in .parquet nor in .trec, or it is a folder.
    """
    if path.suffix not in (_PARQUET, _TREC) or path.is_dir():
        raise UsageError(
            f"The file to write must end in {_PARQUET} or {_TREC}",
            received={"out": str(path)},
            remedy="Name a file such as run.parquet.",
        )


@contextmanager
def open_run(path: Path, *, ids: IdMap, system: str) -> Iterator[WriteBlock]:
    """Open a file for results; it appears under its name when the block ends without an error.

    Args:
        path: File to write, checked by `check_run_path`; an existing one is replaced.
        ids: Ids of the catalogue.
        system: Name of the retrieval system, the tag of a TREC run.

    Raises:
        UsageError: If it cannot be written, or an id does not fit into TREC's format.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            opened = _parquet(part, ids) if path.suffix == _PARQUET else _trec(part, ids, system)
            with opened as write:
                yield write
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            "The file must be writable",
            received={"path": str(path), "error": error.strerror},
            remedy="Name another file, or make room.",
        ) from error


def run_rows(queries: pa.Table, answer: Explained, *, ids: IdMap) -> pa.Table:
    """Lay results out as one row per query and product, with what each score is made of.

    Args:
        queries: `query_id` and `query` of each row of the answer.
        answer: Results.
        ids: Ids of the catalogue.

    Returns:
        `query_id, query, product_id, rank, score`; `score_PART` for each part of the semantic score; and of a hybrid
        `score_semantic`, the sum of its parts, `score_lexical` (null where words did not bring the product), both
        sides `normalised_…`, and `weight_semantic`: score = weight · normalised_semantic + (1 − weight) ·
        normalised_lexical.
    """
    row, place = np.nonzero(answer.ranking.product_index != NO_PRODUCT)
    columns: dict[str, pa.Array] = {
        **{name: queries.column(name).combine_chunks().take(pa.array(row)) for name in ("query_id", "query")},
        "product_id": ids.ids.take(pa.array(answer.ranking.product_index[row, place])),
        "rank": pa.array((place + 1).astype(np.int32)),
        "score": pa.array(answer.ranking.score[row, place]),
    }
    parts = {name: scores[row, place] for name, scores in answer.parts.items()}
    columns |= {f"score_{name}": pa.array(scores) for name, scores in parts.items()}
    if answer.sides:
        lexical, semantic = answer.sides["lexical"], answer.sides["semantic"]
        columns["score_semantic"] = pa.array(np.sum(list(parts.values()), axis=0, dtype=np.float32))
        columns["score_lexical"] = pa.array(lexical.score[row, place], from_pandas=True)
        columns["normalised_semantic"] = pa.array(semantic.normalised[row, place].astype(np.float32))
        columns["normalised_lexical"] = pa.array(lexical.normalised[row, place].astype(np.float32))
        columns["weight_semantic"] = pa.array(semantic.weight[row].astype(np.float32))
    return pa.table(columns)


@contextmanager
def _parquet(path: Path, ids: IdMap) -> Iterator[WriteBlock]:
    writer: pq.ParquetWriter | None = None

    def write(queries: pa.Table, answer: Explained) -> None:
        nonlocal writer
        rows = run_rows(queries, answer, ids=ids)
        if writer is None:
            writer = pq.ParquetWriter(path, rows.schema, compression="zstd")
        writer.write_table(rows)

    try:
        yield write
    finally:
        if writer is not None:
            writer.close()


@contextmanager
def _trec(path: Path, ids: IdMap, system: str) -> Iterator[WriteBlock]:
    with path.open("w", encoding="utf-8", newline="\n") as file:

        def write(queries: pa.Table, answer: Explained) -> None:
            names = queries.column("query_id").combine_chunks()
            file.write(run_lines(answer.ranking, names=names, ids=ids, tag=system))

        yield write
