"""Icecat: 19,406 real electronics products with human judgments of 135 queries, as packaged by Chorus.

Source: github.com/o19s/chorus (Apache-2.0), product data under the Icecat Open Content License. A folder holds
`products.jsonl.gz` (one object per product) and `judgments.csv` (query,docid,rating; grades 0 to 3).
"""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pyarrow as pa

from aisle.core.errors import SourceError
from aisle.sources.download import fetch
from aisle.sources.engine import engine
from aisle.sources.files import read_table
from aisle.sources.jsonl import load_lines, rejected_lines
from aisle.sources.mapping import ColumnMap
from aisle.sources.source_tables import SourceTables
from aisle.tables import JUDGMENTS

__all__ = ["CHORUS_URL", "NUM_PRODUCTS", "download_icecat", "has_icecat", "load_icecat"]

CHORUS_URL = "https://raw.githubusercontent.com/o19s/chorus/main"
NUM_PRODUCTS = 19_406

_PRODUCTS = "products.jsonl.gz"
_JUDGMENTS = "judgments.csv"
_PARTS = tuple(f"data-encoder/ecommerce/vectors/data/{part}.json.zip" for part in (1, 2, 3, 4))
_RATED = "katas/Broad_Query_Set_rated.csv"
_JUDGMENT_COLUMNS = ColumnMap({"product_id": "docid", "grade": "rating", "split": "'test'"})

# Prices are whole cents. Attribute fields are attr_t_ (text), attr_n_ (number) or attr_b_ (boolean) and the name;
# numbers came through floats, so "4.0" is written "4". A few names stand under two prefixes: their values are joined.
_READ = """
WITH parsed AS (
    SELECT number, CAST(line AS JSON) AS product,
        map_entries(CAST(CAST(line AS JSON) AS MAP(VARCHAR, VARCHAR))) AS fields
    FROM lines WHERE reason IS NULL
),
named AS (
    SELECT number, product,
        [{'key': trim(regexp_replace(entry.key[8:], '_+', ' ', 'g')),
          'value': CASE WHEN starts_with(entry.key, 'attr_n_') THEN regexp_replace(entry.value, '\\.0$', '')
                        ELSE entry.value END}
         FOR entry IN fields IF regexp_matches(entry.key, '^attr_[tnb]_') AND entry.value IS NOT NULL] AS attributes
    FROM parsed
),
keyed AS (
    SELECT number, product, attributes,
        [entry.key FOR entry, place IN attributes
         IF list_position([other.key FOR other IN attributes], entry.key) = place] AS keys
    FROM named
)
SELECT product ->> '$.id' AS product_id, product ->> '$.title' AS title,
    product ->> '$.short_description' AS description, product ->> '$.supplier' AS brand,
    CAST(product ->> '$.price' AS DOUBLE) / 100 AS price,
    MAP(keys, [array_to_string([entry.value FOR entry IN attributes IF entry.key = key], ', ') FOR key IN keys])
        AS attributes,
    product ->> '$.date_released' AS created_at, product ->> '$.name' AS name,
    json_transform(product -> '$.ean', '["VARCHAR"]') AS ean, product ->> '$.img_500x500' AS img
FROM keyed
ORDER BY number
"""

# The packages may carry embeddings beside a product's fields: those stay behind.
_PREPARE = """
SELECT to_json(map_from_entries([
    entry FOR entry IN map_entries(CAST(json AS MAP(VARCHAR, JSON)))
    IF starts_with(entry.key, 'attr_') OR list_contains($fields, entry.key)
])) AS line
FROM read_json_objects($path, format = 'auto', maximum_object_size = 67108864)
"""
_FIELDS = ["id", "name", "title", "ean", "short_description", "img_500x500", "date_released", "supplier", "price"]


def has_icecat(folder: Path) -> bool:
    """Say whether the folder holds both files."""
    return (folder / _PRODUCTS).is_file() and (folder / _JUDGMENTS).is_file()


def load_icecat(folder: Path) -> SourceTables:
    """Read products and judgments.

    Products: title, description, brand, price (the currency is not stated), attributes (named without prefix, with
    blanks for underscores), created_at; extra columns `ean` (list), `name`, `img`. There are no categories and no
    shops. All judgments are `test`.

    Raises:
        SourceError: If a file is missing or cannot be read.
    """
    if not has_icecat(folder):
        raise SourceError(
            f"An Icecat folder must hold {_PRODUCTS} and {_JUDGMENTS}",
            received={"path": str(folder), "files": sorted(file.name for file in folder.glob("*"))[:20]},
            remedy="Name the right folder, or leave --path out to download the data.",
        )
    products, rejected_products = _read_products(folder / _PRODUCTS)
    judgments, rejected_judgments = read_table(folder / _JUDGMENTS, schema=JUDGMENTS, mapping=_JUDGMENT_COLUMNS)
    return SourceTables(
        tables={"products": products, "judgments": judgments},
        rejected={"products": rejected_products, "judgments": rejected_judgments},
        provenance={
            "source": "icecat",
            "licence": "Icecat Open Content License (products); Apache-2.0 (packaging, judgments)",
            "citation": "Icecat open catalogue with human relevance judgments, from github.com/o19s/chorus",
            "files": [str(folder / _PRODUCTS), str(folder / _JUDGMENTS)],
        },
    )


def _read_products(path: Path) -> tuple[pa.Table, pa.Table]:
    with engine() as connection:
        try:
            load_lines(connection, path)
            return connection.sql(_READ).to_arrow_table(), rejected_lines(connection)
        except duckdb.Error as error:
            raise SourceError(
                "Icecat products must be JSON lines",
                received={"path": str(path), "reason": str(error).splitlines()[0]},
                remedy="Download the data again.",
            ) from error


def download_icecat(folder: Path, *, base_url: str = CHORUS_URL, num_products: int = NUM_PRODUCTS) -> None:
    """Download the data and prepare the two files that `load_icecat` reads.

    Args:
        folder: Where the files go; made if it is missing.
        base_url: Root of the Chorus repository's files.
        num_products: Number of products that the packages must hold.

    Raises:
        SourceError: If the network fails (a later call goes on where this one stopped), or the packages are damaged or
            hold another number of products.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts = [fetch(f"{base_url}/{part}", folder / Path(part).name) for part in _PARTS]
    lines = [line for part in parts for line in _lines_of(part)]
    if len(lines) != num_products:
        raise SourceError(
            f"The Icecat packages must hold {num_products:,} products",
            received={"products": len(lines), "url": base_url},
            remedy="The packages have changed; use a prepared folder with --path.",
        )
    judgments = fetch(f"{base_url}/{_RATED}", folder / Path(_RATED).name)
    prepared = folder / f".{_PRODUCTS}.part"
    prepared.write_bytes(gzip.compress("".join(f"{line}\n" for line in lines).encode(), mtime=0))
    prepared.replace(folder / _PRODUCTS)
    judgments.replace(folder / _JUDGMENTS)
    for part in parts:
        part.unlink()


def _lines_of(package: Path) -> list[str]:
    """Return the products of one zipped JSON array as JSON lines."""
    try:
        with zipfile.ZipFile(package) as archive, TemporaryDirectory(prefix="aisle-icecat-") as unpacked:
            [member] = [name for name in archive.namelist() if name.endswith(".json") and "__MACOSX" not in name]
            path = archive.extract(member, unpacked)
            with engine() as connection:
                return list(
                    connection.sql(_PREPARE, params={"path": path, "fields": _FIELDS})
                    .to_arrow_table()["line"]
                    .to_pylist()
                )
    except (zipfile.BadZipFile, ValueError, duckdb.Error) as error:
        package.unlink(missing_ok=True)  # else the next call would take it for fetched
        raise SourceError(
            "An Icecat package must be a ZIP of one JSON file",
            received={"path": str(package), "reason": str(error).splitlines()[0]},
            remedy="The damaged package is removed: run the command again.",
        ) from error
