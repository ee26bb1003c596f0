"""Readers of catalogues, logs and judgments: own files of any columns, and public data sets by name.

They give tables in the contract's column names, and the lines that are no rows; `aisle.tables` validates them.
"""

from aisle.sources.files import EXTENSIONS, read_table
from aisle.sources.icecat import download_icecat, load_icecat
from aisle.sources.mapping import ColumnMap
from aisle.sources.registry import SOURCES, Loader, load_source
from aisle.sources.source_tables import Account, SourceTables

__all__ = [
    "EXTENSIONS",
    "SOURCES",
    "Account",
    "ColumnMap",
    "Loader",
    "SourceTables",
    "download_icecat",
    "load_icecat",
    "load_source",
    "read_table",
]
