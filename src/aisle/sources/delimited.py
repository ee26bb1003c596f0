"""Reads CSV and TSV: every field as text, so that validation can name the values that do not hold."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64

from aisle.core.errors import SourceError
from aisle.sources.engine import engine
from aisle.sources.source_tables import REJECTED_SCHEMA
from aisle.sources.textfile import TextFile, inspect_text, open_bytes, readable

__all__ = ["read_delimited"]

_DELIMITERS = (",", "\t", ";", "|")
_QUOTED = re.compile(r'"[^"]*"')
_LONGEST_LINE = 16 << 20

# One thread: the parallel reader guesses where lines begin, and a stray quote makes it lose rows without a word.
_READ = """
SELECT * FROM read_csv($path, delim = $delimiter, quote = '"', escape = '"', header = false, skip = $skip,
    columns = $columns, auto_detect = false, strict_mode = true, store_rejects = true, rejects_limit = 0,
    parallel = false, max_line_size = $longest)
"""
_REJECTED = """
SELECT min(line_byte_position) AS byte, any_value(csv_line) AS text,
    string_agg(DISTINCT error_type, ', ') AS kind,
    -- Every missing field is an error of its own; the first one tells how many there are.
    CASE WHEN bool_or(error_type LIKE '%MISSING%') THEN min(column_idx) ELSE max(column_idx) END AS num_fields
FROM reject_errors GROUP BY line_byte_position ORDER BY byte
"""


@dataclass(frozen=True)
class _Header:
    names: list[str]
    delimiter: str
    num_records: int
    """The header and the blank lines before it, as the CSV reader counts them."""
    num_lines: int


def read_delimited(path: Path) -> tuple[pa.Table, pa.Table]:
    """Read a delimited text file with a header.

    The delimiter is TAB in .tsv, else a comma, TAB, semicolon or bar, whichever stands most often in the header.
    Fields may be quoted with `"` (doubled inside). Empty fields are null. Blank lines are passed over.

    Returns:
        The rows, all columns text; and the rejected lines (too many or too few fields, broken quotes).

    Raises:
        SourceError: If the file is empty, not UTF-8 or damaged, its header does not name each column once, or a quote
            is never closed.
    """
    file = inspect_text(path)
    header = _read_header(path)
    columns = {f"c{place}": "VARCHAR" for place in range(len(header.names))}
    with readable(file) as plain, engine() as connection:
        parameters = {
            "path": str(plain),
            "delimiter": header.delimiter,
            "skip": header.num_records,
            "columns": columns,
            "longest": _LONGEST_LINE,
        }
        table = connection.sql(_READ, params=parameters).to_arrow_table().rename_columns(header.names)
        errors = connection.sql(_REJECTED).to_arrow_table()
        rejected = _rejected(errors, plain, file.line_end, num_fields=len(columns))
    _check_all_read(file, table, rejected, num_header_lines=header.num_lines)
    return table, rejected


def _read_header(path: Path) -> _Header:
    with open_bytes(path) as binary, io.TextIOWrapper(binary, encoding="utf-8-sig", newline="") as text:
        num_blank = 0
        while not (line := text.readline()).strip():
            num_blank += 1
        delimiter = "\t" if ".tsv" in path.suffixes else _delimiter(line)
        # A quoted name may hold line ends: the reader takes what it needs.
        reader = csv.reader(chain([line], text), delimiter=delimiter)
        try:
            names = [name.strip() or f"column{place}" for place, name in enumerate(next(reader), start=1)]
        except csv.Error as error:
            raise SourceError(
                "A CSV file must begin with a header of column names",
                received={"path": str(path), "reason": str(error)},
                remedy="Check for an unclosed quote in the first line.",
            ) from error
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise SourceError(
            "The header must name each column once", received={"path": str(path), "twice": twice}, remedy="Rename one."
        )
    return _Header(names, delimiter, num_blank + 1, num_blank + reader.line_num)


def _delimiter(line: str) -> str:
    unquoted = _QUOTED.sub("", line)
    return max(_DELIMITERS, key=unquoted.count)


def _rejected(errors: pa.Table, plain: Path, line_end: bytes, *, num_fields: int) -> pa.Table:
    if not errors.num_rows:
        return REJECTED_SCHEMA.empty_table()
    # DuckDB counts rows, not lines, and may begin a line's text with the blank lines before it.
    text = pc.utf8_trim(errors["text"], characters="\r\n")
    leading = pc.subtract(
        pc.utf8_length(errors["text"]), pc.utf8_length(pc.utf8_ltrim(errors["text"], characters="\r\n"))
    )
    starts = pc.add(errors["byte"], leading).to_numpy() - 1
    too_many = pc.match_substring(errors["kind"], "TOO MANY")
    too_few = pc.match_substring(errors["kind"], "MISSING")
    found = pc.binary_join_element_wise(
        "has", errors["num_fields"].cast(pa.string()), f"fields, the header has {num_fields}", " "
    )
    other = pc.binary_join_element_wise("breaks the rules of CSV:", pc.utf8_lower(errors["kind"]), " ")
    broken_quote = pc.match_substring(errors["kind"], "UNQUOTED")
    other = pc.if_else(broken_quote, "has a quote that is not closed, or text after a closing quote", other)
    reason = pc.if_else(pc.or_(too_many, too_few), found, other)
    return pa.table([_line_numbers(plain, starts, line_end), reason, text], schema=REJECTED_SCHEMA)


def _line_numbers(path: Path, starts: Int64[np.ndarray, " lines"], line_end: bytes) -> Int64[np.ndarray, " lines"]:
    """Return the line numbers, from 1, at which these byte offsets lie."""
    numbers = np.ones(len(starts), np.int64)
    offset = 0
    with open_bytes(path) as file:
        while chunk := file.read(1 << 22):
            ends = offset + np.flatnonzero(np.frombuffer(chunk, np.uint8) == line_end[0])
            numbers += np.searchsorted(ends, starts)
            offset += len(chunk)
    return numbers


def _check_all_read(file: TextFile, table: pa.Table, rejected: pa.Table, *, num_header_lines: int) -> None:
    """Hold the reader to account: every line must be in a row, rejected or blank.

    DuckDB 2.0 drops the rest of a large file without an error where a quote is never closed.
    """
    line_end = file.line_end.decode()
    inner = sum(
        pc.sum(pc.count_substring(column, line_end)).as_py() or 0 for column in (*table.columns, rejected["text"])
    )
    num_read = num_header_lines + table.num_rows + rejected.num_rows + inner
    if num_read < file.num_lines - file.num_blank_lines:
        raise SourceError(
            "Every quote must be closed",
            received={"path": str(file.path), "lines": file.num_lines, "lines_read": num_read},
            remedy=f"Look for an unclosed quote near line {num_read + 1}; a quote inside a quoted field is doubled.",
        )
