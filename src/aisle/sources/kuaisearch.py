"""KuaiSearch: searches of a Chinese short-video shop, with shown, clicked and bought items.

Source: github.com/benchen4395/KuaiSearch. A folder holds JSON lines, plain or `.gz`: `items`, `recall` (one search per
line) and, where they are wanted, `users` and `relevance` (labelled query–item texts). `rank` is not read.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from aisle.core.errors import SourceError
from aisle.sources.engine import engine
from aisle.sources.jsonl import load_lines, rejected_lines
from aisle.sources.source_tables import Account, SourceTables
from aisle.sources.statements import statement

__all__ = ["load_kuaisearch"]

_REQUIRED = ("items", "recall")
_INPUTS = (*_REQUIRED, "users", "relevance")
_TABLE_OF = {"items": "products", "recall": "searches", "users": "users", "relevance": "judgments"}
_OPTIONAL = ("users", "judgments")
"""Tables that are there only with their files."""

_NOTES = (
    "searched_at counts time_index in seconds from 2000-01-01: it is an order, not a time",
    "impressions have a stage in place of times: ordered, clicked or shown",
)
_COUNT_DUPLICATES = "SELECT count(*) FROM recall WHERE copy > 1"
_COUNT_OUTSIDE = "SELECT count(*) FROM outside"
_COUNT_MADE = "SELECT count(*) FROM labelled_items WHERE is_new"


def load_kuaisearch(folder: Path) -> SourceTables:
    """Read products, searches, impressions, events, users and judgments.

    Searches without times: `searched_at` is an order (see `notes`), `stage` and `order_number` stand for the times of
    impressions. Items that were clicked or bought but not shown go to `events`. Relevance scores 0 to 3 are grades;
    they name no item, so a labelled text that no item has becomes a product of its own, `relevance:…`.

    Raises:
        SourceError: If a file is missing, damaged or has other fields.
    """
    files = {name: path for name in _INPUTS if (path := _find(folder, name)) is not None}
    missing = [name for name in _REQUIRED if name not in files]
    if missing:
        raise SourceError(
            "A KuaiSearch folder must hold items.jsonl and recall.jsonl (users.jsonl and relevance.jsonl may be there)",
            received={
                "path": str(folder),
                "missing": missing,
                "files": sorted(one.name for one in folder.glob("*"))[:20],
            },
            remedy="Name the folder of the release's JSON lines.",
        )
    try:
        with engine() as connection:
            rejected = {name: _load(connection, name, files.get(name)) for name in _INPUTS}
            connection.execute(statement("kuaisearch/labelled_items"))
            connection.execute(statement("kuaisearch/outside"))
            tables = {
                name: connection.sql(statement(f"kuaisearch/out_{name}")).to_arrow_table()
                for name in ("products", "searches", "impressions", "events", "users", "judgments")
            }
            return _result(connection, files, tables, rejected)
    except duckdb.Error as error:
        raise SourceError(
            "KuaiSearch files must have the fields of the release",
            received={"path": str(folder), "reason": str(error).splitlines()[0]},
            remedy="Compare them with the release's demo files.",
        ) from error


def _find(folder: Path, name: str) -> Path | None:
    """Return the file of an input, whose name may be written in the singular."""
    names = (name, name.removesuffix("s"))
    paths = (folder / f"{one}{ending}" for one in names for ending in (".jsonl", ".jsonl.gz"))
    return next((path for path in paths if path.is_file()), None)


def _load(connection: duckdb.DuckDBPyConnection, name: str, path: Path | None) -> pa.Table:
    """Make the input's table, empty where there is no file, and return the lines that are no rows."""
    if path is None:
        connection.execute("CREATE TEMP TABLE lines (number BIGINT, line VARCHAR, reason VARCHAR)")
    else:
        load_lines(connection, path)
    if name == "recall":
        connection.execute(statement("kuaisearch/check_recall"))
    connection.execute(statement(f"kuaisearch/{name}"))
    rejected = rejected_lines(connection)
    connection.execute("DROP TABLE lines")
    return rejected


def _result(
    connection: duckdb.DuckDBPyConnection,
    files: dict[str, Path],
    tables: dict[str, pa.Table],
    rejected: dict[str, pa.Table],
) -> SourceTables:
    duplicates, outside, made = (
        connection.execute(query).fetchall()[0][0] for query in (_COUNT_DUPLICATES, _COUNT_OUTSIDE, _COUNT_MADE)
    )
    num_read = {
        "items": tables["products"].num_rows - made,
        "users": tables["users"].num_rows,
        "relevance": tables["judgments"].num_rows,
    }
    num_searches = tables["searches"].num_rows
    recall = {"searches": num_searches, "duplicate": duplicates, "set aside": rejected["recall"].num_rows}
    accounts = [Account.of_lines(name, num, rejected[name], to=_TABLE_OF[name]) for name, num in num_read.items()]
    notes = {
        "clicked or bought items were not shown: they went to events": outside,
        "labelled texts are no item's: they became products": made,
    }
    return SourceTables(
        tables={name: table for name, table in tables.items() if table.num_rows or name not in _OPTIONAL},
        rejected={_TABLE_OF[name]: lines for name, lines in rejected.items() if name in files},
        provenance={"source": "kuaisearch", "files": [str(path) for path in files.values()]},
        accounts=(Account("recall", sum(recall.values()), recall), *(one for one in accounts if one.name in files)),
        notes=(*_NOTES, *(f"{num:,} {text}" for text, num in notes.items() if num)),
        may_be_empty=frozenset({"events"}),
    )
