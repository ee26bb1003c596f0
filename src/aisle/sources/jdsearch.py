"""JDsearch: one search of each of 173,831 shoppers with its candidates, and all that they did before.

Source: github.com/rucliujn/JDsearch (data CC BY-NC-SA 4.0), Liu et al., SIGIR 2023. A folder holds two TAB-separated
files with a header: one whose name begins with `user_behavior` or `release`, one with `product`.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa

from aisle.core.errors import SourceError
from aisle.sources.delimited import read_delimited
from aisle.sources.engine import engine
from aisle.sources.source_tables import REJECTED_SCHEMA, Account, SourceTables
from aisle.sources.statements import statement

__all__ = ["load_jdsearch"]

_TABLES = ("products", "searches", "impressions", "events", "users")
_NOTES = (
    "each shopper's first behaviour is put at 2000-01-01: the order within a shopper is real, that across them is not",
    "positions are places in the list of candidates, which may not be the order shown",
)


def load_jdsearch(folder: Path) -> SourceTables:
    """Read products, searches, impressions, events and users.

    Texts are anonymous term ids and become words such as `t123`. The search of a line becomes a search with its
    candidates as impressions (a stage for each, no times); the history becomes events. Users have no ids: they are
    numbered by their lines.

    Raises:
        SourceError: If a file is missing, damaged or has other columns.
    """
    behaviour = _find(folder, ("user_behavior", "release"))
    products = _find(folder, ("product",))
    behaviour_rows, bad_behaviour = read_delimited(behaviour)
    product_rows, bad_products = read_delimited(products)
    try:
        with engine() as connection:
            connection.register("behaviour_rows", behaviour_rows)
            connection.register("product_rows", product_rows)
            for name in ("words", "products", "behaviour"):
                connection.execute(statement(f"jdsearch/{name}"))
            tables = {name: connection.sql(statement(f"jdsearch/out_{name}")).to_arrow_table() for name in _TABLES}
            aside = connection.sql(statement("jdsearch/out_set_aside")).to_arrow_table().cast(REJECTED_SCHEMA)
    except duckdb.Error as error:
        raise SourceError(
            "JDsearch files must have the columns of the release",
            received={"path": str(folder), "reason": str(error).splitlines()[0]},
            remedy="The first line names them: query, candidate_wid_list … and wid, name, brand_id …",
        ) from error
    lines = pa.concat_tables([bad_behaviour, aside])
    return SourceTables(
        tables=tables,
        rejected={"products": bad_products, "searches": lines},
        provenance={
            "source": "jdsearch",
            "licence": "CC BY-NC-SA 4.0",
            "citation": "Liu et al. 2023, JDsearch, SIGIR, doi:10.1145/3539618.3591900",
            "files": [str(behaviour), str(products)],
        },
        accounts=(
            Account.of_lines("products", product_rows.num_rows, bad_products, to="products"),
            Account.of_lines("behaviour", tables["searches"].num_rows, lines, to="searches"),
        ),
        notes=_NOTES,
        may_be_empty=frozenset({"events"}),
    )


def _find(folder: Path, names: tuple[str, ...]) -> Path:
    endings = (".txt", ".txt.gz", ".tsv", ".tsv.gz")
    files = sorted(file for file in folder.glob("*") if file.name.startswith(names) and file.name.endswith(endings))
    if len(files) != 1:
        raise SourceError(
            f"A JDsearch folder must hold one file whose name begins with {' or '.join(names)} and ends in .txt",
            received={"path": str(folder), "files": sorted(file.name for file in folder.glob("*"))[:20]},
            remedy="Unpack JDsearch.tar.gz and name its folder.",
        )
    return files[0]
