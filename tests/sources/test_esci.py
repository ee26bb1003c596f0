import hashlib
import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aisle.core.errors import SourceError
from aisle.core.ids import IdMap
from aisle.sources.esci import EsciConfig, download_esci, load_esci
from aisle.tables import JUDGMENTS, PRODUCTS, validate

EXAMPLES = [
    # example_id, query, query_id, product_id, product_locale, esci_label, small_version, large_version, split
    (0, "usb hub", 10, "B01", "us", "E", 1, 1, "train"),
    (1, "usb hub", 10, "B02", "us", "S", 1, 1, "train"),
    (2, "usb hub", 10, "B03", "us", "C", 0, 1, "train"),
    (3, "lamp", 11, "B03", "us", "I", 1, 1, "test"),
    (4, "lámpara", 12, "B01", "es", "E", 1, 1, "test"),
    (5, "lamp", 11, "GONE", "us", "E", 1, 1, "test"),
]
EXAMPLE_COLUMNS = ["example_id", "query", "query_id", "product_id", "product_locale", "esci_label", "small_version",
                   "large_version", "split"]  # fmt: skip
TEXTS = [
    # product_id, product_title, product_description, product_bullet_point, product_brand, product_color, product_locale
    ("B01", "USB hub", "four ports", "small\nlight", "Acme", "Black", "us"),
    ("B02", "USB cable", None, "long", None, None, "us"),
    ("B03", "Lamp", None, None, "Lux", "", "us"),
    ("B01", "Concentrador USB", None, None, "Acme", "Negro", "es"),
]
TEXT_COLUMNS = ["product_id", "product_title", "product_description", "product_bullet_point", "product_brand",
                "product_color", "product_locale"]  # fmt: skip


def parquet(rows, columns):
    sink = io.BytesIO()
    pq.write_table(pa.table(dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))), sink)
    return sink.getvalue()


FILES = {
    "shopping_queries_dataset_examples.parquet": parquet(EXAMPLES, EXAMPLE_COLUMNS),
    "shopping_queries_dataset_products.parquet": parquet(TEXTS, TEXT_COLUMNS),
}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    return tmp_path


def judged(source):
    return [
        (row["query"], row["product_id"], row["grade"], row["split"]) for row in source.tables["judgments"].to_pylist()
    ]


def test_labels_are_gains_and_texts_are_products(folder):
    source = load_esci(folder)
    assert judged(source) == [
        ("usb hub", "B01", 1.0, "train"), ("usb hub", "B02", 0.1, "train"), ("usb hub", "B03", 0.01, "train"),
        ("lamp", "B03", 0.0, "test"), ("lamp", "GONE", 1.0, "test"),
    ]  # fmt: skip
    first, second, third = source.tables["products"].to_pylist()
    assert first == {"product_id": "B01", "title": "USB hub", "description": "four ports\nsmall\nlight",
                     "brand": "Acme", "attributes": [("color", "Black")], "locale": "us"}  # fmt: skip
    assert (second["description"], second["attributes"], third["description"]) == ("long", None, None)
    assert source.grades.stage_of(source.tables["judgments"]["grade"].to_numpy()).tolist() == [4, 1, 0, 0, 4]


def test_every_row_is_accounted_for(folder):
    source = load_esci(folder, EsciConfig(small_version=True))
    assert [account.as_dict() for account in source.accounts] == [
        {"rows": 4, "fates": {"products": 3, "of another market": 1}},
        {"rows": 6, "fates": {"judgments": 4, "of another market or version": 2}},
    ]
    products = validate(source.tables["products"], PRODUCTS)
    ids = IdMap(products.table["product_id"])
    judgments = validate(source.tables["judgments"], JUDGMENTS, known_products=ids)
    assert (judgments.table.num_rows, judgments.quarantine["product_id"].to_pylist()) == (3, ["GONE"])


def test_markets_share_ids_so_that_all_of_them_write_the_market(folder):
    source = load_esci(folder, EsciConfig(locale="all"))
    assert source.tables["products"]["product_id"].to_pylist() == ["us:B01", "us:B02", "us:B03", "es:B01"]
    assert judged(source)[4][:2] == ("lámpara", "es:B01")
    assert judged(load_esci(folder, EsciConfig(locale="es"))) == [("lámpara", "B01", 1.0, "test")]


def test_a_folder_without_the_files_or_with_others_is_refused(folder):
    (folder / "shopping_queries_dataset_products.parquet").write_bytes(parquet([("a",)], ["x"]))
    with pytest.raises(SourceError, match=r"columns that the repository describes.*product_locale"):
        load_esci(folder)
    (folder / "shopping_queries_dataset_products.parquet").unlink()
    with pytest.raises(SourceError, match=r"An ESCI folder must hold"):
        load_esci(folder)


def test_a_download_goes_on_and_is_checked(site, tmp_path):
    site.files = {f"/{name}": content for name, content in FILES.items()}
    sha256 = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    site.break_after = 100
    with pytest.raises(SourceError, match="--path"):
        download_esci(tmp_path / "esci", base_url=site.url, sha256=sha256)
    site.break_after = None
    download_esci(tmp_path / "esci", base_url=site.url, sha256=sha256)
    assert ("/shopping_queries_dataset_examples.parquet", "bytes=100-") in site.requests
    assert load_esci(tmp_path / "esci").tables["products"].num_rows == 3
    with pytest.raises(SourceError, match="known SHA-256"):
        download_esci(tmp_path / "other", base_url=site.url)


def test_the_command_imports_it(aisle_json, folder, tmp_path):
    report = aisle_json("import", "-w", tmp_path / "shop", "--from", "esci", "--path", folder)
    assert {table: values["usable"] for table, values in report["tables"].items()} == {"products": 3, "judgments": 4}
    for account in report["accounts"].values():
        assert sum(account["fates"].values()) == account["rows"]
    for table, values in report["tables"].items():
        sent = sum(account["fates"].get(table, 0) for account in report["accounts"].values())
        assert sent in (0, values["usable"] + values["quarantined"])
