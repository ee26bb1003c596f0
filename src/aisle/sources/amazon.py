"""Amazon personalised product search: queries made of category paths, and who bought what under them.

Source: github.com/QingyaoAi/Amazon-Product-Search-Datasets, Ai et al., SIGIR 2017. A folder holds `query_text.txt.gz`,
`test.qrels.gz` and, where the release has it, `train.qrels.gz` (each may be unpacked); and, where it is wanted, the
catalogue of McAuley et al. as `meta_….json.gz`.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from aisle.core.errors import SourceError
from aisle.sources.amazon_catalogue import read_catalogue
from aisle.sources.beir import add_qrels
from aisle.sources.engine import engine
from aisle.sources.folder import find_file, find_files
from aisle.sources.source_tables import REJECTED_SCHEMA, Account, SourceTables
from aisle.sources.statements import statement
from aisle.sources.textfile import inspect_text, readable
from aisle.tables import parse_grades

__all__ = ["GRADES", "load_amazon"]

GRADES = "ordered=1"
"""Training stages: what was bought counts as ordered."""

_QUERIES, _TRAIN, _TEST = "query_text.txt", "train.qrels", "test.qrels"
_NOTES = (
    "queries are category paths, not what people typed",
    "the qrels have no times: they became judgments, without their users; a pair that several users bought is one row",
)


def load_amazon(folder: Path) -> SourceTables:
    """Read judgments, and products where their metadata is there.

    Raises:
        SourceError: If a file is missing or damaged.
    """
    remedy = "Name the folder of one category, such as reviews_Electronics_5.json.gz, of the repository."
    found = find_files(folder, (_QUERIES, _TEST), source="Amazon personalised product search", remedy=remedy)
    train = find_file(folder, _TRAIN)
    qrels = {"test": found[_TEST], **({"train": train} if train is not None else {})}
    catalogue = _catalogue(folder)
    with engine() as connection:
        try:
            with readable(inspect_text(found[_QUERIES]), by_line=True) as plain:
                connection.execute(statement("amazon/queries"), {"path": str(plain)})
            for number, (split, path) in enumerate(qrels.items()):
                add_qrels(connection, path, split=split, first=number == 0)
            connection.execute(statement("beir/four_fields"))
            connection.execute(statement("amazon/check_qrels"))
            judgments = connection.sql(statement("amazon/out_judgments")).to_arrow_table()
            bad_qrels = connection.sql(statement("beir/out_set_aside")).to_arrow_table().cast(REJECTED_SCHEMA)
            num_rows = connection.execute("SELECT count(*) FROM qrels").fetchall()[0][0]
        except duckdb.Error as error:
            raise SourceError(
                "The files of Amazon personalised product search must be lines of text",
                received={"path": str(folder), "reason": str(error).splitlines()[0]},
                remedy="Download them again.",
            ) from error
    num_pairs, num_aside = judgments.num_rows, bad_qrels.num_rows
    fates = {"judgments": num_pairs, "of another user": num_rows - num_pairs - num_aside, "set aside": num_aside}
    tables, rejected = {"judgments": judgments}, {"judgments": bad_qrels}
    accounts = [Account("qrels", num_rows, fates)]
    if catalogue is not None:
        tables["products"], rejected["products"] = read_catalogue(catalogue)
        num_products = tables["products"].num_rows
        accounts.append(Account.of_lines("products", num_products, rejected["products"], to="products"))
    return SourceTables(
        tables=tables,
        rejected=rejected,
        provenance={
            "source": "amazon",
            "citation": "Ai et al. 2017, Hierarchical Embedding Model for Personalized Product Search, SIGIR",
            "files": [str(path) for path in (found[_QUERIES], *qrels.values(), catalogue) if path is not None],
        },
        accounts=tuple(accounts),
        notes=_NOTES,
        grades=parse_grades(GRADES),
    )


def _catalogue(folder: Path) -> Path | None:
    endings = (".json", ".json.gz", ".jsonl", ".jsonl.gz")
    found = sorted(path for path in folder.glob("meta*") if path.name.endswith(endings) and path.is_file())
    if len(found) > 1:
        raise SourceError(
            "A folder of Amazon personalised product search must hold one file meta_….json.gz at most",
            received={"path": str(folder), "files": [path.name for path in found]},
            remedy="Leave that of the folder's own category.",
        )
    return found[0] if found else None
