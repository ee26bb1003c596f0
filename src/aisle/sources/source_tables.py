"""What a source gives: tables of the contract, what could not be read, and where it all comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

__all__ = ["REJECTED_SCHEMA", "SourceTables"]

REJECTED_SCHEMA = pa.schema([("line", pa.int64()), ("reason", pa.string()), ("text", pa.string())])
"""A rejected line: its number in the file, from 1; why it is no row; what it says."""


@dataclass(frozen=True)
class SourceTables:
    """Tables of one source, in the contract's column names but not validated yet.

    Attributes:
        tables: Tables by the contract's name.
        rejected: Lines that are no rows, by the same names, in `REJECTED_SCHEMA`.
        provenance: Plain values for a manifest: `source`, `licence`, `citation`, `files`.
    """

    tables: Mapping[str, pa.Table]
    rejected: Mapping[str, pa.Table] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)
