"""Multi-CPR's e-commerce part: Chinese queries, each with one product that a person found relevant.

Source: github.com/Alibaba-NLP/Multi-CPR, Long et al., SIGIR 2022, arXiv:2203.03367. A folder holds `corpus.tsv`,
`train.query.txt`, `dev.query.txt`, `qrels.train.tsv` and `qrels.dev.tsv`, plain or `.gz`; the other two parts (video,
medical) have the same form.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from aisle.core.errors import SourceError
from aisle.sources.beir import add_qrels
from aisle.sources.engine import engine
from aisle.sources.folder import find_files
from aisle.sources.source_tables import REJECTED_SCHEMA, Account, SourceTables
from aisle.sources.statements import statement
from aisle.sources.textfile import inspect_text, readable
from aisle.tables import parse_grades

__all__ = ["GRADES", "load_multicpr"]

GRADES = "ordered=1"
"""Training stages: a relevant product counts as ordered."""

_TEXTS = {"corpus": "corpus.tsv", "train queries": "train.query.txt", "dev queries": "dev.query.txt"}
_QRELS = {"train": "qrels.train.tsv", "test": "qrels.dev.tsv"}
"""Files of judgments by Aisle's split: the set's `dev` is what its authors measure on."""


def load_multicpr(folder: Path) -> SourceTables:
    """Read passages as products (the text is the title), and qrels as judgments: train, and dev as test.

    Raises:
        SourceError: If a file is missing or damaged.
    """
    remedy = "Name the folder data/ecom of the repository, with the corpus of the release beside the queries."
    paths = find_files(folder, (*_TEXTS.values(), *_QRELS.values()), source="Multi-CPR", remedy=remedy)
    with engine() as connection:
        try:
            connection.execute(statement("multicpr/texts"))
            bad, num_read = {}, {}
            for name, file in _TEXTS.items():
                bad[name], num_read[name] = _add_texts(connection, paths[file], name)
            for number, (split, file) in enumerate(_QRELS.items()):
                add_qrels(connection, paths[file], split=split, first=number == 0)
            connection.execute(statement("beir/four_fields"))
            products = connection.sql(statement("multicpr/out_products")).to_arrow_table()
            judgments = connection.sql(statement("multicpr/out_judgments")).to_arrow_table()
            bad_qrels = connection.sql(statement("beir/out_set_aside")).to_arrow_table().cast(REJECTED_SCHEMA)
        except duckdb.Error as error:
            raise SourceError(
                "Multi-CPR's files must be lines of text",
                received={"path": str(folder), "reason": str(error).splitlines()[0]},
                remedy="Download them again.",
            ) from error
    query_files = [name for name in _TEXTS if name != "corpus"]
    return SourceTables(
        tables={"products": products, "judgments": judgments},
        rejected={
            "products": bad["corpus"],
            "judgments": pa.concat_tables([*(bad[name] for name in query_files), bad_qrels]),
        },
        provenance={
            "source": "multicpr",
            "citation": "Long et al. 2022, Multi-CPR, SIGIR, arXiv:2203.03367",
            "files": [str(path) for path in paths.values()],
        },
        accounts=(
            Account.of_lines("corpus", num_read["corpus"], bad["corpus"], to="products"),
            *(
                Account.of_lines(name, num_read[name], bad[name], to="joined to their judgments")
                for name in query_files
            ),
            Account.of_lines("qrels", judgments.num_rows, bad_qrels, to="judgments"),
        ),
        notes=("the set's dev queries are test; a tenth of its training queries validates",),
        grades=parse_grades(GRADES),
    )


def _add_texts(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> tuple[pa.Table, int]:
    """Add lines of id, TAB and text; return those that are none, and the number of the others."""
    with readable(inspect_text(path), by_line=True) as plain:
        connection.execute(statement("multicpr/add_texts"), {"path": str(plain), "file": name})
    aside = connection.sql(statement("multicpr/out_set_aside"), params={"file": name}).to_arrow_table()
    count = "SELECT count(*) FROM texts WHERE file = ? AND reason IS NULL"
    return aside.cast(REJECTED_SCHEMA), connection.execute(count, [name]).fetchall()[0][0]
