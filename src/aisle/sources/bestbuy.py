"""Best Buy (ACM SF chapter's hackathon on Kaggle): queries and the product that was clicked.

Source: kaggle.com/c/acm-sf-chapter-hackathon-big and -small. A folder holds `train.csv` (also `.gz`) and, anywhere
below it, the catalogue as XML files whose names hold "product": `small_product_data.xml`, or what
`product_data.tar.gz` unpacks to.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from aisle.core.errors import SourceError
from aisle.sources.bestbuy_catalogue import read_catalogue
from aisle.sources.delimited import read_delimited
from aisle.sources.engine import engine
from aisle.sources.folder import find_files
from aisle.sources.set_aside import set_aside_rows
from aisle.sources.source_tables import REJECTED_SCHEMA, Account, SourceTables
from aisle.sources.statements import statement

__all__ = ["load_bestbuy"]

_NOTES = (
    "the log names clicks alone: what else was shown is not known, and positions count the clicks of a search",
    "there are no orders: clicks are what is to be found",
)


def load_bestbuy(folder: Path) -> SourceTables:
    """Read searches and impressions, and products where their XML is there.

    Rows of the same user, query and query time are one search; its clicked products are its impressions.

    Raises:
        SourceError: If `train.csv` is missing, damaged or has other columns, or an XML file is damaged.
    """
    remedy = "Download train.csv and the product data from Kaggle, unpack them and name their folder."
    log = find_files(folder, ("train.csv",), source="Best Buy", remedy=remedy)["train.csv"]
    catalogue = sorted(path for path in folder.rglob("*.xml") if "product" in path.name.lower())
    rows, unread = read_delimited(log)
    try:
        with engine() as connection:
            connection.register("click_rows", rows)
            connection.execute(statement("bestbuy/clicks"))
            tables = {
                name: connection.sql(statement(f"bestbuy/out_{name}")).to_arrow_table()
                for name in ("searches", "impressions")
            }
            aside = connection.sql(statement("bestbuy/out_set_aside")).to_arrow_table()
    except duckdb.Error as error:
        raise SourceError(
            "Best Buy's train.csv must have the columns of the release",
            received={"path": str(log), "reason": str(error).splitlines()[0]},
            remedy="The first line names them: user,sku,category,query,click_time,query_time.",
        ) from error
    bad = set_aside_rows(rows, unread, aside, delimiter=",")
    num_joined = tables["impressions"].num_rows
    num_repeated = rows.num_rows - aside.num_rows - num_joined
    fates = {"impressions": num_joined, "repeated": num_repeated, "set aside": bad.num_rows}
    accounts = [Account("train", sum(fates.values()), fates)]
    if catalogue:
        tables["products"] = read_catalogue(catalogue)
        num_products = tables["products"].num_rows
        accounts.append(Account.of_lines("products", num_products, REJECTED_SCHEMA.empty_table(), to="products"))
    return SourceTables(
        tables=tables,
        rejected={"searches": bad},
        provenance={"source": "bestbuy", "files": [str(path) for path in (log, *catalogue)]},
        accounts=tuple(accounts),
        notes=_NOTES,
    )
