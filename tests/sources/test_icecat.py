import gzip
import io
import json
import os
import zipfile
from pathlib import Path

import pyarrow.compute as pc
import pytest

from aisle.core.errors import SourceError
from aisle.core.ids import IdMap
from aisle.sources import download_icecat, load_icecat
from aisle.tables import JUDGMENTS, PRODUCTS, validate


def product(number, **fields):
    return {
        "id": str(number), "name": f"M{number}", "title": f"Lamp {number}", "ean": ["1", "2"], "supplier": "Acme",
        "short_description": "a lamp", "img_500x500": "http://img", "price": 4995,
        "date_released": "2009-12-10T00:00:00Z",
    } | fields  # fmt: skip


def jsonl(*products):
    return "".join(f"{json.dumps(one)}\n" for one in products)


@pytest.fixture
def folder(tmp_path):
    first = product(
        1, attr_t_bulb__type_="E27", attr_n_power=4.0, attr_n_weight=2.13, attr_b_dimmable=True, attr_t_power="low"
    )
    second = product(2)
    del second["short_description"]
    (tmp_path / "products.jsonl.gz").write_bytes(gzip.compress((jsonl(first, second) + "broken\n").encode()))
    (tmp_path / "judgments.csv").write_text('query,docid,rating\nlamp,1,3\n"lamp, red",2,0\n')
    return tmp_path


def test_fields_become_the_contract(folder):
    source = load_icecat(folder)
    first, second = source.tables["products"].to_pylist()
    assert first == {
        "product_id": "1", "title": "Lamp 1", "description": "a lamp", "brand": "Acme", "price": 49.95,
        "attributes": [("bulb type", "E27"), ("power", "4, low"), ("weight", "2.13"), ("dimmable", "true")],
        "created_at": "2009-12-10T00:00:00Z", "name": "M1", "ean": ["1", "2"], "img": "http://img",
    }  # fmt: skip
    assert (second["description"], second["attributes"]) == (None, [])
    assert source.tables["judgments"].select(["query", "product_id", "grade", "split"]).to_pylist() == [
        {"query": "lamp", "product_id": "1", "grade": "3", "split": "test"},
        {"query": "lamp, red", "product_id": "2", "grade": "0", "split": "test"},
    ]
    assert source.rejected["products"].to_pylist() == [{"line": 3, "reason": "is not valid JSON", "text": "broken"}]
    assert source.provenance["source"] == "icecat"


def test_its_tables_keep_the_contract(folder):
    tables = load_icecat(folder).tables
    products = validate(tables["products"], PRODUCTS)
    judgments = validate(tables["judgments"], JUDGMENTS, known_products=IdMap(products.table["product_id"]))
    assert (products.report.problems, judgments.report.problems) == ((), ())
    assert judgments.table["grade"].to_pylist() == [3.0, 0.0]


def test_a_folder_without_the_files_is_refused(tmp_path):
    (tmp_path / "other.txt").touch()
    with pytest.raises(SourceError, match=r"must hold products.jsonl.gz and judgments.csv.*files=\['other.txt'\]"):
        load_icecat(tmp_path)


def test_an_unreadable_price_is_refused(folder):
    (folder / "products.jsonl.gz").write_bytes(gzip.compress(jsonl(product(1, price="cheap")).encode()))
    with pytest.raises(SourceError, match=r"must be JSON lines.*cheap"):
        load_icecat(folder)


def package(*products):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("1.json", json.dumps(products))
        archive.writestr("__MACOSX/._1.json", "x")
    return content.getvalue()


@pytest.fixture
def chorus(site):
    for part in (1, 2, 3, 4):
        products = [product(part, attr_n_power=4.0, product_vector=[0.1] * 8)]
        site.files[f"/data-encoder/ecommerce/vectors/data/{part}.json.zip"] = package(*products)
    site.files["/katas/Broad_Query_Set_rated.csv"] = b"query,docid,rating\nlamp,3,3\n"
    return site


def test_a_download_that_broke_is_finished_by_the_next(chorus, tmp_path):
    chorus.break_after = 50
    with pytest.raises(SourceError, match="--path"):
        download_icecat(tmp_path, base_url=chorus.url, num_products=4)
    chorus.break_after = None
    download_icecat(tmp_path, base_url=chorus.url, num_products=4)
    assert ("/data-encoder/ecommerce/vectors/data/1.json.zip", "bytes=50-") in chorus.requests
    assert sorted(file.name for file in tmp_path.iterdir()) == ["judgments.csv", "products.jsonl.gz"]
    assert "product_vector" not in gzip.decompress((tmp_path / "products.jsonl.gz").read_bytes()).decode()
    tables = load_icecat(tmp_path).tables
    assert tables["products"]["product_id"].to_pylist() == ["1", "2", "3", "4"]
    assert tables["products"]["attributes"].to_pylist()[0] == [("power", "4")]


def test_another_number_of_products_is_refused(chorus, tmp_path):
    with pytest.raises(SourceError, match=r"must hold 5 products.*products=4"):
        download_icecat(tmp_path, base_url=chorus.url, num_products=5)
    assert not (tmp_path / "products.jsonl.gz").exists()


@pytest.mark.parametrize("content", [b"no zip", package()[:40]])
def test_a_damaged_package_is_dropped_and_fetched_again(chorus, tmp_path, content):
    name = "/data-encoder/ecommerce/vectors/data/2.json.zip"
    good, chorus.files[name] = chorus.files[name], content
    with pytest.raises(SourceError, match="must be a ZIP of one JSON file"):
        download_icecat(tmp_path, base_url=chorus.url, num_products=4)
    chorus.files[name] = good
    download_icecat(tmp_path, base_url=chorus.url, num_products=4)
    assert load_icecat(tmp_path).tables["products"].num_rows == 4


@pytest.mark.data
def test_the_real_data_has_the_numbers_it_is_known_for():
    folder = Path(os.environ.get("AISLE_TEST_DATA", "")) / "icecat"
    if not os.environ.get("AISLE_TEST_DATA") or not folder.is_dir():
        pytest.skip("AISLE_TEST_DATA names no folder with icecat")
    source = load_icecat(folder)
    products = validate(source.tables["products"], PRODUCTS)
    judgments = validate(source.tables["judgments"], JUDGMENTS, known_products=IdMap(products.table["product_id"]))
    assert (products.table.num_rows, products.report.problems) == (19_406, ())
    assert (judgments.table.num_rows, judgments.report.problems) == (3_668, ())
    assert pc.count_distinct(judgments.table["query"]).as_py() == 135
    assert pc.unique(judgments.table["split"]).to_pylist() == ["test"]
    assert sorted(pc.unique(judgments.table["grade"]).to_pylist()) == [0, 1, 2, 3]
    assert source.rejected["products"].num_rows == source.rejected["judgments"].num_rows == 0
