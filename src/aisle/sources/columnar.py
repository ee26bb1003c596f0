"""Streams Parquet files into DuckDB, so that only what a query takes from them is in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from aisle.core.errors import SourceError

__all__ = ["parquet_batches"]

_BATCH_ROWS = 20_000


@contextmanager
def parquet_batches(path: Path) -> Iterator[pa.RecordBatchReader]:
    """Open a Parquet file as a stream of batches, to be registered with DuckDB and read once.

    DuckDB's own reader would take `*`, `?` and `[` in the path for a pattern.

    Raises:
        SourceError: If the file is missing, or not a whole Parquet file.
    """
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(
            "The file must be a whole Parquet file",
            received={"path": str(path), "reason": str(error).splitlines()[0]},
            remedy="Copy or download it again.",
        ) from error
    with file:
        yield pa.RecordBatchReader.from_batches(file.schema_arrow, file.iter_batches(_BATCH_ROWS))
