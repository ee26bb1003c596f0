"""The content hash of a table."""

from __future__ import annotations

import hashlib

import pyarrow as pa

__all__ = ["table_hash"]

_SLICE_ROWS = 65_536


class _Hash:
    """A file that only hashes what is written to it, so that a table needs no second place in memory."""

    closed = False

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self._num_bytes = 0

    def write(self, data: bytes | pa.Buffer) -> int:
        self.digest.update(data)
        self._num_bytes += len(data)
        return len(data)

    def tell(self) -> int:
        return self._num_bytes

    def writable(self) -> bool:
        return True

    def flush(self) -> None: ...

    def close(self) -> None: ...


def table_hash(table: pa.Table) -> str:
    """Return the SHA-256 of a table's schema and values, however it is cut into chunks.

    >>> whole = pa.table({"a": [1, 2]})
    >>> table_hash(whole) == table_hash(pa.concat_tables([whole.slice(0, 1), whole.slice(1)]))
    True
    """
    sink = _Hash()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), table.schema) as writer:
        for start in range(0, table.num_rows, _SLICE_ROWS):
            # Slices of a fixed length, each one chunk: neither chunks nor 32-bit offsets of long columns matter.
            writer.write_table(table.slice(start, _SLICE_ROWS).combine_chunks())
    return sink.digest.hexdigest()
