"""A mined log as arrays."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Float32, Int32, Int64

from aisle.core.ragged import offsets_of
from aisle.mining.windows import Windows
from aisle.tables import MINED_SCHEMAS, SPLITS, read_parquet

__all__ = ["MinedLog", "Ragged"]


@dataclass(frozen=True, eq=False)
class Ragged:
    """Neighbours of every query or product, heaviest first.

    Attributes:
        offsets: Where each row's neighbours begin; row i spans `offsets[i]:offsets[i + 1]`.
        index: Neighbours.
        weight: Their weights.
    """

    offsets: Int64[np.ndarray, " rows_plus_1"]
    index: Int32[np.ndarray, " neighbours"]
    weight: Float32[np.ndarray, " neighbours"]


@dataclass(frozen=True)
class MinedLog:
    """The artefact `mined`, read table by table; `aisle.tables.MINED_SCHEMAS` says what the tables hold.

    Attributes:
        folder: The artefact's folder.
    """

    folder: Path

    @cached_property
    def windows(self) -> Windows:
        """The boundaries that the log was mined with."""
        values = json.loads((self.folder / "windows.json").read_text(encoding="utf-8"))
        return Windows(**{**values, "snapshot_times": tuple(values["snapshot_times"])})

    @cached_property
    def end_us(self) -> int:
        """The microsecond after the last search and event: the time as of which the whole log is known."""
        parts = [
            read_parquet(self.folder / "examples" / f"{split}.parquet", columns=["searched_at"]) for split in SPLITS
        ]
        times = [part.column(0) for part in parts] + [self.table("histories").column("at")]
        return max((pc.max(column).cast(pa.int64()).as_py() for column in times if len(column)), default=-1) + 1

    def table(self, name: str, part: str | int | None = None) -> pa.Table:
        """Read one table.

        Args:
            name: One of `MINED_SCHEMAS`.
            part: Split of `examples` and `outcomes`, number of a snapshot's tables, None for the others.

        Raises:
            SourceError: If there is no such file.
            TableError: If the file is of another version.
        """
        path = self.folder / (f"{name}.parquet" if part is None else f"{name}/{part}.parquet")
        return read_parquet(path, MINED_SCHEMAS[name])

    def query_neighbours(self, snapshot: int, *, num_queries: int) -> Ragged:
        """Return the products that each query led to, as of a snapshot."""
        table = self.table("neighbours_query", snapshot)
        return _ragged(table, row="query_index", neighbour="product_index", num_rows=num_queries)

    def product_neighbours(self, snapshot: int, *, num_products: int) -> Ragged:
        """Return the queries that led to each product, as of a snapshot."""
        table = self.table("neighbours_product", snapshot)
        return _ragged(table, row="product_index", neighbour="query_index", num_rows=num_products)


def _ragged(table: pa.Table, *, row: str, neighbour: str, num_rows: int) -> Ragged:
    return Ragged(
        offsets=offsets_of(table.column(row).to_numpy().astype(np.int64), num_rows),
        index=table.column(neighbour).to_numpy(),
        weight=table.column("weight").to_numpy(),
    )
