"""ESCI, Amazon's Shopping Queries Dataset: real queries of three markets with labelled products.

Source: github.com/amazon-science/esci-data (Apache-2.0), Reddy et al. 2022, arXiv:2206.06588. A folder holds
`shopping_queries_dataset_examples.parquet` and `shopping_queries_dataset_products.parquet`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import duckdb
import pyarrow as pa

from aisle.core.errors import SourceError
from aisle.sources.columnar import parquet_batches
from aisle.sources.download import fetch
from aisle.sources.engine import engine
from aisle.sources.source_tables import Account, SourceTables
from aisle.tables import parse_grades

__all__ = ["ESCI_SHA256", "ESCI_URL", "EsciConfig", "download_esci", "has_esci", "load_esci"]

ESCI_URL = "https://media.githubusercontent.com/media/amazon-science/esci-data/main/shopping_queries_dataset"
"""Where GitHub serves the repository's large files."""

_EXAMPLES = "shopping_queries_dataset_examples.parquet"
_PRODUCTS = "shopping_queries_dataset_products.parquet"

ESCI_SHA256: Mapping[str, str] = MappingProxyType(
    {
        _EXAMPLES: "4a735b693b4a424a6fc67f5be6e4c811495c488bbf66d02a602d308b2744263a",
        _PRODUCTS: "25124442d064d64b26f74082d6fa09438d679efc0c183cf28d19064a2b65a265",
    }
)
"""SHA-256 of both files, as the repository records them."""

GRADES = "ordered=1,clicked=0.1"
"""Training stages: an exact match counts as ordered, a substitute as clicked, the rest as shown."""

# An ASIN may be sold in several markets, with another text in each.
_ID = "CASE WHEN $locale = 'all' THEN concat_ws(':', product_locale, product_id) ELSE product_id END AS product_id"
_OF_LOCALE = "($locale = 'all' OR product_locale = $locale)"

_READ_PRODUCTS = f"""
SELECT {_ID}, product_title AS title,
    nullif(concat_ws(chr(10), nullif(product_description, ''), nullif(product_bullet_point, '')), '') AS description,
    product_brand AS brand,
    CASE WHEN product_color <> '' THEN MAP {{'color': product_color}} END AS attributes,
    product_locale AS locale
FROM products WHERE {_OF_LOCALE}
"""  # noqa: S608 - constants alone; values are bound
_READ_EXAMPLES = f"""
SELECT query, {_ID},
    CASE esci_label WHEN 'E' THEN 1e0 WHEN 'S' THEN 1e-1 WHEN 'C' THEN 1e-2 WHEN 'I' THEN 0e0 END AS grade,
    split, CAST(query_id AS VARCHAR) AS query_id, esci_label
FROM examples WHERE {_OF_LOCALE} AND (NOT $small OR small_version = 1)
"""  # noqa: S608 - constants alone; values are bound


@dataclass(frozen=True)
class EsciConfig:
    """What is taken of ESCI."""

    locale: Literal["us", "es", "jp", "all"] = "us"
    """Market; with `all`, product ids are written `us:B000…`, since markets share them."""
    small_version: bool = False
    """Take only the reduced set of harder queries (task 1) in place of the whole one."""


def has_esci(folder: Path) -> bool:
    """Say whether the folder holds both files."""
    return (folder / _EXAMPLES).is_file() and (folder / _PRODUCTS).is_file()


def load_esci(folder: Path, config: EsciConfig | None = None) -> SourceTables:
    """Read products and judgments.

    Grades are the challenge's gains: E (exact) 1, S (substitute) 0.1, C (complement) 0.01, I (irrelevant) 0; so
    `--min-grade 1` means exact, 0.1 exact or substitute. `split` is the set's own (train or test).

    Raises:
        SourceError: If a file is missing, damaged or has other columns.
    """
    config = config or EsciConfig()
    if not has_esci(folder):
        raise SourceError(
            f"An ESCI folder must hold {_EXAMPLES} and {_PRODUCTS}",
            received={"path": str(folder), "files": sorted(file.name for file in folder.glob("*"))[:20]},
            remedy="Name the folder shopping_queries_dataset of the repository, or leave --path out to download it.",
        )
    products, num_products = _read(folder / _PRODUCTS, "products", _READ_PRODUCTS, {"locale": config.locale})
    bound = {"locale": config.locale, "small": config.small_version}
    judgments, num_examples = _read(folder / _EXAMPLES, "examples", _READ_EXAMPLES, bound)
    return SourceTables(
        tables={"products": products, "judgments": judgments},
        provenance={
            "source": "esci",
            "licence": "Apache-2.0",
            "citation": "Reddy et al. 2022, Shopping Queries Dataset, arXiv:2206.06588",
            "files": [str(folder / _PRODUCTS), str(folder / _EXAMPLES)],
        },
        accounts=(
            _account("products", num_products, products.num_rows, left="of another market"),
            _account("examples", num_examples, judgments.num_rows, left="of another market or version"),
        ),
        notes=(f"market {config.locale}, {'small' if config.small_version else 'large'} version",),
        grades=parse_grades(GRADES),
    )


def download_esci(folder: Path, *, base_url: str = ESCI_URL, sha256: Mapping[str, str] = ESCI_SHA256) -> None:
    """Download both files (1.2 GB); a later call goes on where this one stopped.

    Raises:
        SourceError: If the network fails, or a file has not the known SHA-256.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (_EXAMPLES, _PRODUCTS):
        fetch(f"{base_url}/{name}", folder / name, sha256=sha256[name])


def _read(path: Path, name: str, query: str, bound: Mapping[str, object]) -> tuple[pa.Table, int]:
    """Return the rows that are wanted, and how many there are in all."""
    try:
        with parquet_batches(path) as batches, engine() as connection:
            connection.register(name, batches)
            table = connection.sql(query, params=bound).to_arrow_table()
    except duckdb.Error as error:
        raise SourceError(
            "An ESCI file must have the columns that the repository describes",
            received={"path": str(path), "reason": str(error).splitlines()[0]},
            remedy="Download it again.",
        ) from error
    with parquet_batches(path) as batches:
        return table, sum(batch.num_rows for batch in batches)


def _account(name: str, num_rows: int, num_taken: int, *, left: str) -> Account:
    table = "judgments" if name == "examples" else name
    return Account(name, num_rows, {table: num_taken, left: num_rows - num_taken})
