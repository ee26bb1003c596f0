"""Diginetica (CIKM Cup 2016, track 2): searches with what they showed, clicks, views and orders, anonymous terms.

Source: competitions.codalab.org/competitions/11161. A folder holds the `;`-separated files `train-queries.csv`,
`train-clicks.csv`, `train-purchases.csv`, `products.csv`, `product-categories.csv` and, where it is wanted,
`train-item-views.csv`; each may be packed (`.gz`).
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from aisle.core.errors import SourceError
from aisle.sources.delimited import read_delimited
from aisle.sources.engine import engine
from aisle.sources.folder import find_file, find_files
from aisle.sources.set_aside import set_aside_rows
from aisle.sources.source_tables import REJECTED_SCHEMA, Account, SourceTables
from aisle.sources.statements import statement

__all__ = ["load_diginetica"]

_LOG = {"queries": "train-queries.csv", "clicks": "train-clicks.csv", "purchases": "train-purchases.csv"}
_PRODUCTS = {"products": "products.csv", "categories": "product-categories.csv"}
_VIEWS = "train-item-views.csv"
_VIEW_COLUMNS = ("sessionId", "userId", "itemId", "timeframe", "eventdate")
_STEPS = ("days", "queries", "shown", "acted")
_TABLES = ("products", "searches", "impressions", "events")
_ASIDE = {"queries": "searches", "clicks": "events", "purchases": "events", "views": "events"}
"""Table under which the rows of a file that cannot be used are kept."""

_NOTES = (
    "terms are anonymous: term 12 is the word t12; users are written u1, sessions s1, categories c1",
    "times are the session's first day and its timeframe: the order within a session is real, the hour is not known",
    "a price is 2 ^ pricelog2: rounded, without a currency",
    "queries without words are category pages: their clicks went to events",
    "queries with is.test came without their clicks: they were left out",
)


def load_diginetica(folder: Path) -> SourceTables:
    """Read products, searches, impressions and events.

    A query with words becomes a search, its items impressions in their order. A click counts for the impression that it
    names; an order for the last search of its session, at or before it, that showed the product. All other clicks and
    orders, and views, go to events.

    Raises:
        SourceError: If a file is missing, damaged or has other columns.
    """
    remedy = "Download the set's train files and name their folder."
    named = {**_LOG, **_PRODUCTS}
    paths = find_files(folder, tuple(named.values()), source="Diginetica", remedy=remedy)
    files = {name: paths[file] for name, file in named.items()}
    if (views := find_file(folder, _VIEWS)) is not None:
        files["views"] = views
    read = {name: read_delimited(path) for name, path in files.items()}
    rows = {name: table for name, (table, _) in read.items()}
    rows.setdefault("views", pa.table({name: pa.array([], pa.string()) for name in _VIEW_COLUMNS}))
    try:
        with engine() as connection:
            for name, table in rows.items():
                connection.register(f"{name}_rows", table)
            for name in _STEPS:
                connection.execute(statement(f"diginetica/{name}"))
            tables = {name: connection.sql(statement(f"diginetica/out_{name}")).to_arrow_table() for name in _TABLES}
            fates = connection.sql(statement("diginetica/out_fates")).to_arrow_table()
            aside = connection.sql(statement("diginetica/out_set_aside")).to_arrow_table()
    except duckdb.Error as error:
        raise SourceError(
            "Diginetica files must have the columns of the release",
            received={"path": str(folder), "reason": str(error).splitlines()[0]},
            remedy="The first line names them: queryId;sessionId;userId;timeframe …",
        ) from error
    bad = {name: lines for name, (_, lines) in read.items()}
    for name in _ASIDE:
        refused = aside.filter(pc.equal(aside.column("file"), name))
        unread = bad.get(name, REJECTED_SCHEMA.empty_table())
        bad[name] = set_aside_rows(rows[name], unread, refused, delimiter=";")
    return SourceTables(
        tables=tables,
        rejected=_rejected(bad),
        provenance={"source": "diginetica", "files": [str(path) for path in files.values()]},
        accounts=_accounts(fates, {name: bad[name] for name in files}, rows),
        notes=_NOTES,
        may_be_empty=frozenset({"events"}),
    )


def _rejected(bad: dict[str, pa.Table]) -> dict[str, pa.Table]:
    tables = {**dict.fromkeys(_PRODUCTS, "products"), **_ASIDE}
    return {
        table: pa.concat_tables([lines for name, lines in bad.items() if tables[name] == table])
        for table in ("products", "searches", "events")
    }


def _accounts(fates: pa.Table, bad: dict[str, pa.Table], rows: dict[str, pa.Table]) -> tuple[Account, ...]:
    accounts = []
    for name, lines in bad.items():
        counted = {row["fate"]: row["num_rows"] for row in fates.to_pylist() if row["file"] == name}
        if name in _PRODUCTS:
            counted = {"products" if name == "products" else "joined to their products": rows[name].num_rows}
        found = {**counted, "set aside": lines.num_rows}
        accounts.append(Account(name, sum(found.values()), found))
    return tuple(accounts)
