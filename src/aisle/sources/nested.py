"""Turns text into the lists and maps of the contract: category paths and attributes as files write them."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from aisle.sources.engine import engine
from aisle.tables import TableSchema

__all__ = ["CATEGORY_SEPARATORS", "split_nested"]

CATEGORY_SEPARATORS = (" > ", " / ", "|")
"""What may stand between two levels of a category path; the first that occurs in a column splits all of it."""

_LIST = """
SELECT CASE
    WHEN text IS NULL OR trim(text) = '' THEN NULL
    WHEN starts_with(ltrim(text), '[') AND json_valid(text) THEN CAST(CAST(text AS JSON) AS VARCHAR[])
    WHEN $separator = '' THEN [text]
    ELSE [trim(level) FOR level IN string_split(text, $separator)]
END AS value
FROM source
"""

# Text that is no map goes on under a blank key, which validation reports with its row and its value.
_MAP = """
WITH split AS (
    SELECT text,
        [{'key': trim(CASE WHEN contains(entry, ':') THEN entry[:instr(entry, ':') - 1] ELSE entry END),
          'value': trim(CASE WHEN contains(entry, ':') THEN entry[instr(entry, ':') + 1:] ELSE '' END)}
         FOR entry IN string_split(text, '|') IF trim(entry) <> ''] AS entries
    FROM source
),
keyed AS (
    SELECT text, entries,
        [entry.key FOR entry, place IN entries
         IF list_position([other.key FOR other IN entries], entry.key) = place] AS keys
    FROM split
)
SELECT CASE
    WHEN trim(text) = '' THEN NULL
    WHEN starts_with(ltrim(text), '{')
        THEN coalesce(TRY_CAST(TRY_CAST(text AS JSON) AS MAP(VARCHAR, VARCHAR)), MAP {'': text})
    WHEN NOT contains(text, ':') THEN MAP {'': text}
    ELSE MAP(keys, [array_to_string([entry.value FOR entry IN entries IF entry.key = key], ', ') FOR key IN keys])
END AS value
FROM keyed
"""

_STRUCT_MAP = """
SELECT map_from_entries([
    entry FOR entry IN map_entries(CAST(to_json(text) AS MAP(VARCHAR, VARCHAR))) IF entry.value IS NOT NULL
]) AS value
FROM source
"""


def split_nested(table: pa.Table, schema: TableSchema) -> pa.Table:
    """Read text where the contract wants a list or a map, and a struct where it wants a map.

    A list is a JSON array, or levels between `CATEGORY_SEPARATORS`, or one level. A map is a JSON object, or
    `k:v|k:v`: the first colon divides, an entry without one is a key with the value "", values of a repeated key are
    joined by ", ". Text that is neither keeps its row and goes to validation under a blank key.

    Returns:
        The table with these columns as list<string> and map<string, string>; all other columns as they were.
    """
    for place, name in enumerate(table.column_names):
        column = schema.column(name)
        values = table.column(place)
        is_text = pa.types.is_string(values.type) or pa.types.is_large_string(values.type)
        if column is None:
            continue
        if pa.types.is_list(column.type) and is_text:
            values = _evaluate(_LIST, values, column.type, separator=_separator(values))
        elif pa.types.is_map(column.type) and is_text:
            values = _evaluate(_MAP, values, column.type)
        elif pa.types.is_map(column.type) and pa.types.is_struct(values.type):
            values = _evaluate(_STRUCT_MAP, values, column.type)
        table = table.set_column(place, name, values)
    return table


def _separator(values: pa.ChunkedArray) -> str:
    """Return the first separator that occurs outside of JSON arrays; "" where none does."""
    paths = values.filter(pc.invert(pc.starts_with(pc.utf8_ltrim_whitespace(values), "[")))
    for separator in CATEGORY_SEPARATORS:
        if pc.any(pc.match_substring(paths, separator)).as_py():
            return separator
    return ""


def _evaluate(query: str, values: pa.ChunkedArray, wanted: pa.DataType, **parameters: str) -> pa.ChunkedArray:
    with engine(sealed=True) as connection:
        connection.register("source", pa.table({"text": values}))
        return connection.sql(query, params=parameters or None).to_arrow_table()["value"].cast(wanted)
