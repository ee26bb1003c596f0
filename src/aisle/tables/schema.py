"""What a table of the data contract is made of."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

__all__ = ["TIME", "Column", "TableSchema"]

TIME = pa.timestamp("us", tz="UTC")
"""The one type of times."""


@dataclass(frozen=True)
class Column:
    """One column of the contract: its name, its type and the rules of its values.

    A value that breaks a rule moves its row to the quarantine if the column is required or `decisive`; in every other
    column the value becomes null and is reported, since a product is not worth losing for an unreadable price.
    """

    name: str
    type: pa.DataType
    required: bool = False
    """The column must be there, and each row must have a value that is not blank."""
    minimum: float | None = None
    """Smallest allowed number."""
    above: float | None = None
    """Numbers must be greater than this."""
    maximum: float | None = None
    """Largest allowed number."""
    choices: tuple[str, ...] = ()
    """The allowed texts; empty: any."""
    decisive: bool = False
    """A row with a bad value here is of no use, although the column may be absent."""
    default: str | None = None
    """Text that stands in for a missing column or a null."""
    names_product: bool = False
    """The value must be a product of the catalogue, where the catalogue is given."""
    names_search: bool = False
    """The value must be a search of the log, where the searches are given."""

    @property
    def quarantines(self) -> bool:
        """Whether a bad value costs the whole row."""
        return self.required or self.decisive


@dataclass(frozen=True)
class TableSchema:
    """One table of the contract: its columns and the key that tells rows apart.

    Columns that the schema does not know are extra columns and stay untouched.
    """

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    """Columns that together are unique; empty: rows may repeat."""
    number_prefix: str | None = None
    """Columns that start with this are float64 columns of the contract as well."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the contract's columns, in the contract's order."""
        return tuple(column.name for column in self.columns)

    @property
    def required(self) -> tuple[str, ...]:
        """Names of the columns that must be there."""
        return tuple(column.name for column in self.columns if column.required)

    def column(self, name: str) -> Column | None:
        """Return the contract's column of this name; None for an extra column."""
        for column in self.columns:
            if column.name == name:
                return column
        if self.number_prefix is not None and name.startswith(self.number_prefix):
            return Column(name, pa.float64())
        return None
