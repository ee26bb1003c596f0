"""Query texts under the one normalisation, block by block."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.text import normalise_texts

__all__ = ["normalise_spellings", "query_keys"]

_BLOCK = 50_000


def query_keys(texts: pa.Array, *, max_chars: int) -> pa.Array:
    """Return the key under which a query is counted and joined: its normalised text, cut at `max_chars` characters.

    >>> query_keys(pa.array(["  Red  DRESS "]), max_chars=512).to_pylist()
    ['red dress']
    """
    # Cut before too: a robot's queries of megabytes are not worth normalising.
    cut = normalise_texts(pc.utf8_slice_codeunits(texts.cast(pa.string()), 0, max_chars))
    return pc.utf8_rtrim(pc.utf8_slice_codeunits(cut, 0, max_chars), characters=" ")


def normalise_spellings(connection: duckdb.DuckDBPyConnection, *, max_chars: int) -> None:
    """Fill the table `spelling_texts` with the key of every row of `spellings`."""
    [(count,)] = connection.execute("SELECT count(*) FROM spellings").fetchall()
    for start in range(1, count + 1, _BLOCK):
        block = connection.sql(
            "SELECT spelling, left(query, $chars) AS query FROM spellings WHERE spelling >= $start AND spelling < $end",
            params={"start": start, "end": start + _BLOCK, "chars": max_chars},
        ).to_arrow_table()
        keys = query_keys(block.column("query").combine_chunks(), max_chars=max_chars)
        connection.register("keyed", pa.table({"spelling": block.column("spelling"), "text": keys}))
        connection.execute("INSERT INTO spelling_texts SELECT spelling, text FROM keyed")
        connection.unregister("keyed")
