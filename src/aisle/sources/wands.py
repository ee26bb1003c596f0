"""WANDS, Wayfair's annotation data set: furniture and home goods with human labels.

Source: github.com/wayfair/WANDS (MIT), Chen et al., ECIR 2022. A folder holds `product.csv`, `query.csv` and
`label.csv`, all of them TAB-separated.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa

from aisle.core.errors import SourceError
from aisle.sources.delimited import read_delimited
from aisle.sources.download import fetch
from aisle.sources.engine import engine
from aisle.sources.files import read_table
from aisle.sources.mapping import ColumnMap
from aisle.sources.source_tables import Account, SourceTables
from aisle.tables import PRODUCTS

__all__ = ["WANDS_ROWS", "WANDS_URL", "download_wands", "has_wands", "load_wands"]

WANDS_URL = "https://raw.githubusercontent.com/wayfair/WANDS/main/dataset"

WANDS_ROWS: Mapping[str, int] = MappingProxyType({"product": 42_994, "query": 480, "label": 233_448})
"""Rows of every file, as the authors state them."""

_PRODUCT_COLUMNS = ColumnMap(
    {
        "title": "product_name",
        "description": "product_description",
        "category": "string_split(nullif(trim(\"category hierarchy\"), ''), ' / ')",
        "attributes": "product_features",
        "quality_average_rating": "average_rating",
        "quality_rating_count": "rating_count",
        "quality_review_count": "review_count",
    }
)
_JUDGMENTS = """
SELECT queries.query, labels.product_id, CASE labels.label
        WHEN 'Exact' THEN 1e0 WHEN 'Partial' THEN 5e-1 WHEN 'Irrelevant' THEN 0e0 END AS grade,
    labels.query_id, queries.query_class, labels.label
FROM (SELECT *, row_number() OVER () AS number FROM label_rows) AS labels
LEFT JOIN (SELECT query_id, any_value(query) AS query, any_value(query_class) AS query_class FROM query_rows
    GROUP BY query_id) AS queries USING (query_id)
ORDER BY labels.number
"""


def has_wands(folder: Path) -> bool:
    """Say whether the folder holds the three files."""
    return all((folder / f"{name}.csv").is_file() for name in WANDS_ROWS)


def load_wands(folder: Path) -> SourceTables:
    """Read products and judgments.

    Grades: Exact 1, Partial 0.5, Irrelevant 0; the set has no split, so all judgments are `test`. Ratings become
    `quality_*` columns; they carry no date.

    Raises:
        SourceError: If a file is missing or cannot be read.
    """
    if not has_wands(folder):
        raise SourceError(
            "A WANDS folder must hold product.csv, query.csv and label.csv",
            received={"path": str(folder), "files": sorted(file.name for file in folder.glob("*"))[:20]},
            remedy="Name the folder dataset of the repository, or leave --path out to download it.",
        )
    products, bad_products = read_table(folder / "product.csv", schema=PRODUCTS, mapping=_PRODUCT_COLUMNS)
    queries, bad_queries = read_delimited(folder / "query.csv")
    labels, bad_labels = read_delimited(folder / "label.csv")
    with engine() as connection:
        connection.register("query_rows", queries)
        connection.register("label_rows", labels)
        judgments = connection.sql(_JUDGMENTS).to_arrow_table()
    return SourceTables(
        tables={"products": products, "judgments": judgments},
        rejected={"products": bad_products, "judgments": pa.concat_tables([bad_queries, bad_labels])},
        provenance={
            "source": "wands",
            "licence": "MIT",
            "citation": "Chen et al. 2022, WANDS: Dataset for Product Search Relevance Assessment, ECIR",
            "files": [str(folder / f"{name}.csv") for name in WANDS_ROWS],
        },
        accounts=(
            Account.of_lines("product", products.num_rows, bad_products, to="products"),
            Account.of_lines("query", queries.num_rows, bad_queries, to="joined to their labels"),
            Account.of_lines("label", labels.num_rows, bad_labels, to="judgments"),
        ),
    )


def download_wands(folder: Path, *, base_url: str = WANDS_URL, num_rows: Mapping[str, int] = WANDS_ROWS) -> None:
    """Download the three files and count their rows; a later call goes on where this one stopped.

    Raises:
        SourceError: If the network fails, or a file holds another number of rows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, expected in num_rows.items():
        if (folder / f"{name}.csv").is_file():
            continue
        fetched = fetch(f"{base_url}/{name}.csv", folder / f"{name}.fetched.csv")
        found = read_delimited(fetched)[0].num_rows
        if found != expected:
            fetched.unlink()
            raise SourceError(
                f"The WANDS file {name}.csv must hold {expected:,} rows",
                received={"rows": found, "url": base_url},
                remedy="Run the command again; if it stays, the set has changed: use --path with a copy of your own.",
            )
        fetched.replace(folder / f"{name}.csv")
