"""BEIR and TREC folders: `corpus.jsonl`, `queries.jsonl` and `qrels/<split>.tsv`.

Source: Thakur et al. 2021, BEIR, arXiv:2104.08663. Queries may also be `queries.tsv` (id, TAB, text); qrels may have
three columns (query, document, grade) or TREC's four.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from aisle.core.errors import SourceError
from aisle.sources.engine import engine
from aisle.sources.jsonl import load_lines, rejected_lines
from aisle.sources.source_tables import REJECTED_SCHEMA, Account, SourceTables
from aisle.sources.statements import statement
from aisle.sources.textfile import inspect_text, readable
from aisle.tables import parse_grades

__all__ = ["GRADES", "add_qrels", "load_beir"]

GRADES = "ordered=1"
"""Training stages: a relevant document counts as ordered."""

_SPLITS = {"train": "train", "dev": "validation", "validation": "validation", "valid": "validation", "test": "test"}
_ENDINGS = ("", ".gz")


def load_beir(folder: Path) -> SourceTables:
    """Read documents as products, and qrels as judgments with the split that their file is named after.

    A document without a title takes its text for one. A single `qrels.tsv` (or `.txt`, `.qrels`) is `test`.

    Raises:
        SourceError: If a file is missing or damaged.
    """
    corpus = _one_of(folder, ["corpus.jsonl"])
    queries = _one_of(folder, ["queries.jsonl", "queries.tsv"])
    qrels = _qrels(folder)
    with engine() as connection:
        try:
            bad_products = _documents(connection, corpus)
            bad_queries = _queries(connection, queries)
            for number, (path, split) in enumerate(qrels):
                add_qrels(connection, path, split=split, first=number == 0)
            products = connection.sql("SELECT * EXCLUDE (number) FROM documents ORDER BY number").to_arrow_table()
            judgments = connection.sql(statement("beir/out_judgments")).to_arrow_table()
            bad_qrels = connection.sql(statement("beir/out_set_aside")).to_arrow_table().cast(REJECTED_SCHEMA)
            num_queries = connection.execute("SELECT count(*) FROM queries").fetchall()[0][0]
        except duckdb.Error as error:
            raise SourceError(
                "A BEIR folder must hold JSON lines and qrels of text",
                received={"path": str(folder), "reason": str(error).splitlines()[0]},
                remedy="Documents have _id, title and text; queries _id and text.",
            ) from error
    return SourceTables(
        tables={"products": products, "judgments": judgments},
        rejected={"products": bad_products, "judgments": pa.concat_tables([bad_queries, bad_qrels])},
        provenance={
            "source": "beir",
            "citation": "format of Thakur et al. 2021, BEIR, arXiv:2104.08663",
            "files": [str(path) for path in (corpus, queries, *(path for path, _ in qrels))],
        },
        accounts=(
            Account.of_lines("corpus", products.num_rows, bad_products, to="products"),
            Account.of_lines("queries", num_queries, bad_queries, to="joined to their judgments"),
            Account.of_lines("qrels", judgments.num_rows, bad_qrels, to="judgments"),
        ),
        grades=parse_grades(GRADES),
    )


def _one_of(folder: Path, names: list[str]) -> Path:
    for name in names:
        for ending in _ENDINGS:
            if (folder / f"{name}{ending}").is_file():
                return folder / f"{name}{ending}"
    raise SourceError(
        f"A BEIR folder must hold {' or '.join(names)}",
        received={"path": str(folder), "files": sorted(file.name for file in folder.glob("*"))[:20]},
        remedy="Name the folder of one data set.",
    )


def _qrels(folder: Path) -> list[tuple[Path, str]]:
    """Return the files of judgments with their splits."""
    named = [
        (path, split)
        for stem, split in _SPLITS.items()
        for ending in (".tsv", ".txt", ".qrels")
        if (path := folder / "qrels" / f"{stem}{ending}").is_file()
    ]
    if named:
        return named
    return [(_one_of(folder, ["qrels.tsv", "qrels.txt", "qrels.test.tsv", "test.qrels"]), "test")]


def _documents(connection: duckdb.DuckDBPyConnection, path: Path) -> pa.Table:
    load_lines(connection, path)
    connection.execute(statement("beir/documents"))
    return _take_rejected(connection)


def _queries(connection: duckdb.DuckDBPyConnection, path: Path) -> pa.Table:
    if ".jsonl" in path.suffixes:
        load_lines(connection, path)
        connection.execute(statement("beir/queries"))
        return _take_rejected(connection)
    with readable(inspect_text(path), by_line=True) as plain:
        connection.execute(statement("beir/queries_tsv"), {"path": str(plain)})
    return REJECTED_SCHEMA.empty_table()


def _take_rejected(connection: duckdb.DuckDBPyConnection) -> pa.Table:
    rejected = rejected_lines(connection)
    connection.execute("DROP TABLE lines")
    return rejected


def add_qrels(connection: duckdb.DuckDBPyConnection, path: Path, *, split: str, first: bool) -> None:
    """Add a file of qrels to the table `qrels`: three columns (query, document, grade), or TREC's four.

    Args:
        connection: Where the table is.
        path: The file.
        split: Split of its rows.
        first: Whether the table is to be made.

    Raises:
        SourceError: If the file is empty, not UTF-8 or damaged.
    """
    if first:
        connection.execute(
            "CREATE TEMP TABLE qrels (place BIGINT, number BIGINT, line VARCHAR, split VARCHAR, field VARCHAR[], "
            "reason VARCHAR)"
        )
    with readable(inspect_text(path), by_line=True) as plain:
        connection.execute(statement("beir/qrels"), {"path": str(plain), "split": split})
