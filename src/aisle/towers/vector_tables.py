"""One vector per known query and product, which histories and neighbours look up.

The vectors hold term, text and static context only, never graph or history: else an example's own click would return
through them. They are constants of a step: no gradient flows into them, and they are encoded anew now and then.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from jaxtyping import Bool, Float, Float32, Int64
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from aisle.core.errors import ModelError, ShapeError
from aisle.core.ids import UNKNOWN

__all__ = ["VectorTable", "VectorTables"]


class VectorTable:
    """Vectors of queries or of products, in the order of their ids; rows can be replaced and added.

    Args:
        ids: Normalised query texts, or product ids, distinct.
        vectors: One of each; float16 halves the memory of float32.

    Raises:
        ShapeError: If there is not one vector per id.
    """

    def __init__(self, ids: pa.Array, vectors: Float[Tensor, "rows dim"]) -> None:
        if len(ids) != len(vectors):
            raise ShapeError("Every id must have one vector", received={"ids": len(ids), "vectors": len(vectors)})
        self._ids: list[str] = []
        self._given = ids.cast(pa.large_string())
        self._row: dict[str, int] | None = None
        self._vectors, self._used = vectors, len(vectors)

    def __len__(self) -> int:
        """Return the number of rows."""
        return self._used

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return self._vectors.shape[1]

    @property
    def ids(self) -> pa.Array:
        """All ids, in the order of their rows."""
        return pa.concat_arrays([self._given, pa.array(self._ids, pa.large_string())])

    @property
    def vectors(self) -> Float[Tensor, "rows dim"]:
        """All vectors; writing into it changes the table."""
        return self._vectors[: self._used]

    def rows_of(self, ids: Sequence[str]) -> Int64[np.ndarray, " ids"]:
        """Look up rows; -1 where an id is not known."""
        known = self._rows()
        return np.fromiter((known.get(one, UNKNOWN) for one in ids), np.int64, len(ids))

    def lookup(
        self, rows: Int64[Tensor, "*shape"], device: torch.device
    ) -> tuple[Float[Tensor, "*shape dim"], Bool[Tensor, "*shape"]]:
        """Return the vectors of rows, in float32, and which of the rows are known.

        A negative row, or one past the end, is not known, and its vector means nothing.
        """
        known = (rows >= 0) & (rows < self._used)
        if not self._used:
            return torch.zeros((*rows.shape, self.dim), device=device), known.to(device)
        taken = self._vectors.index_select(0, torch.where(known, rows, 0).flatten().to(self._vectors.device))
        return taken.to(device, torch.float32).reshape(*rows.shape, self.dim), known.to(device)

    def take(
        self, rows: Int64[np.ndarray, " rows"]
    ) -> tuple[Float32[np.ndarray, "rows dim"], Bool[np.ndarray, " rows"]]:
        """Do as `lookup`, with arrays, for few rows of a table on the CPU."""
        known = (rows >= 0) & (rows < self._used)
        if not self._used:
            return np.zeros((len(rows), self.dim), np.float32), known
        return self._vectors.numpy()[np.where(known, rows, 0)].astype(np.float32), known

    def put(self, ids: Sequence[str], vectors: Float[Tensor, "ids dim"]) -> Int64[np.ndarray, " ids"]:
        """Replace the vectors of known ids and add those of new ones; of an id that stands twice the last one counts.

        Returns:
            Row of each id.
        """
        known = self._rows()
        new = list(dict.fromkeys(one for one in ids if one not in known))
        used = self._used + len(new)
        known.update(zip(new, range(self._used, used), strict=True))
        self._ids += new
        self._reserve(used)
        rows = self.rows_of(ids)
        # Backwards, so that the first entry of a row is the last one given.
        kept, place = np.unique(rows[::-1], return_index=True)
        values = vectors.detach()[torch.from_numpy(len(rows) - 1 - place).to(vectors.device)]
        self._vectors[torch.from_numpy(kept)] = values.to(self._vectors.device, self._vectors.dtype)
        # Last: another thread that looks a new row up finds it unknown until its vector is there.
        self._used = used
        return rows

    def _rows(self) -> dict[str, int]:
        """Return id → row, made at the first look-up: training never needs it."""
        if self._row is None:
            self._row = dict(zip(self._given.to_pylist(), range(len(self._given)), strict=True))
        return self._row

    def _reserve(self, rows: int) -> None:
        """Make room, doubling, so that adding one row at a time stays cheap."""
        if rows > len(self._vectors):
            grown = self._vectors.new_zeros((max(rows, 2 * len(self._vectors)), self.dim))
            grown[: self._used] = self.vectors
            self._vectors = grown


@dataclass(frozen=True)
class VectorTables:
    """The vectors of queries (term, text) and of products (term, text, then context)."""

    queries: VectorTable
    products: VectorTable

    def save(self, path: Path) -> None:
        """Write both tables with their ids as one safetensors file."""
        save_file({**_tensors("queries", self.queries), **_tensors("products", self.products)}, str(path))

    @classmethod
    def load(cls, path: Path) -> VectorTables:
        """Read what `save` wrote.

        Raises:
            ModelError: If the file is missing or damaged.
        """
        try:
            tensors = load_file(str(path))
            return cls(_table("queries", tensors), _table("products", tensors))
        except (OSError, KeyError, RuntimeError, SafetensorError, ShapeError, pa.ArrowException) as error:
            raise ModelError(
                "A model with a graph part or a history channel must hold its vector tables",
                received={"path": str(path), "problem": str(error).partition("\n")[0]},
                remedy="Train the model again.",
            ) from error


def _tensors(name: str, table: VectorTable) -> dict[str, Tensor]:
    """Lay out a table as tensors: safetensors knows no texts, so ids are bytes and where each begins."""
    ids = table.ids
    ends = np.cumsum(pc.binary_length(ids).to_numpy(zero_copy_only=False), dtype=np.int64)
    joined = "".join(ids.to_pylist()).encode()
    return {
        f"{name}.vectors": table.vectors.contiguous().cpu(),
        f"{name}.id_offsets": torch.from_numpy(np.concatenate([np.zeros(1, np.int64), ends])),
        f"{name}.id_bytes": torch.from_numpy(np.frombuffer(joined, np.uint8).copy()),
    }


def _table(name: str, tensors: dict[str, Tensor]) -> VectorTable:
    offsets, bytes_ = tensors[f"{name}.id_offsets"].numpy(), tensors[f"{name}.id_bytes"].numpy()
    buffers = [None, pa.py_buffer(offsets.tobytes()), pa.py_buffer(bytes_.tobytes())]
    ids = pa.Array.from_buffers(pa.large_string(), len(offsets) - 1, buffers)
    ids.validate(full=True)
    return VectorTable(ids, tensors[f"{name}.vectors"])
