"""What a source gives: tables of the contract, what could not be read, and where it all comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from aisle.tables import GradeMap

__all__ = ["REJECTED_SCHEMA", "Account", "SourceTables"]

REJECTED_SCHEMA = pa.schema([("line", pa.int64()), ("reason", pa.string()), ("text", pa.string())])
"""A rejected line: its number in the file, from 1; why it is no row; what it says."""


@dataclass(frozen=True)
class Account:
    """Where the rows of one input went; every row has one fate, so that the sum is exact.

    Attributes:
        name: Name of the input.
        num_rows: Its rows.
        fates: Number of rows by what became of them: a table's name, "set aside", "duplicate" and so on.

    >>> Account("events", 3, {"events": 2, "duplicate": 1}).fates["duplicate"]
    1
    """

    name: str
    num_rows: int
    fates: Mapping[str, int]

    def __post_init__(self) -> None:
        assert sum(self.fates.values()) == self.num_rows, f"{self.name}: {dict(self.fates)} of {self.num_rows} rows"

    @classmethod
    def of_lines(cls, name: str, num_read: int, rejected: pa.Table, *, to: str) -> Account:
        """Account for an input whose rows all go to one place, but for the lines that could not be read."""
        return cls(name, num_read + rejected.num_rows, {to: num_read, "set aside": rejected.num_rows})

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"rows": self.num_rows, "fates": dict(self.fates)}


@dataclass(frozen=True)
class SourceTables:
    """Tables of one source, in the contract's column names but not validated yet.

    Attributes:
        tables: Tables by the contract's name.
        rejected: Lines that are no rows, by the same names, in `REJECTED_SCHEMA`.
        provenance: Plain values for a manifest: `source`, `licence`, `citation`, `files`.
        accounts: Where the rows of every input went, for sources that do more than read rows as they are.
        notes: What the source's rules met, in words.
        may_be_empty: Tables of which no row need be usable: a by-product, such as the events of a log.
        grades: Stages that the source's own grades stand for, so that its training judgments train.
    """

    tables: Mapping[str, pa.Table]
    rejected: Mapping[str, pa.Table] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)
    accounts: tuple[Account, ...] = ()
    notes: tuple[str, ...] = ()
    may_be_empty: frozenset[str] = frozenset()
    grades: GradeMap | None = None
