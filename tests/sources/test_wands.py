import pytest

from aisle.core.errors import SourceError
from aisle.core.ids import IdMap
from aisle.sources.wands import download_wands, load_wands
from aisle.tables import JUDGMENTS, PRODUCTS, validate

FILES = {
    "product": (
        "product_id\tproduct_name\tproduct_class\tcategory hierarchy\tproduct_description\tproduct_features\t"
        "rating_count\taverage_rating\treview_count\n"
        "0\tsolid wood platform bed\tBeds\tFurniture / Bedroom > Furniture / Beds\tgood sleep\t"
        "overallwidth : 64.7|color : black|color : grey\t15.0\t4.5\t15.0\n"
        '1\tall-clad 7 qt . slow cooker\tSlow Cookers\t\t"create ""delicious"" meals\tslowly"\t\t\t\t\n'
        "2\ttoo few\n"
    ),
    "query": "query_id\tquery\tquery_class\n0\tsalon chair\tMassage Chairs\n1\tbed, wood\tBeds\n",
    "label": "id\tquery_id\tproduct_id\tlabel\n0\t1\t0\tExact\n1\t1\t1\tPartial\n2\t0\t1\tIrrelevant\n3\t9\t1\tExact\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / f"{name}.csv").write_text(content)
    return tmp_path


def test_products_and_labels_become_the_contract(folder):
    source = load_wands(folder)
    products = validate(source.tables["products"], PRODUCTS)
    assert products.report.problems == ()
    first, second = products.table.to_pylist()
    assert (first["product_id"], first["title"], first["description"]) == ("0", "solid wood platform bed", "good sleep")
    assert first["category"] == ["Furniture", "Bedroom > Furniture", "Beds"]
    assert first["attributes"] == [("overallwidth", "64.7"), ("color", "black, grey")]
    assert (first["quality_average_rating"], first["quality_review_count"], first["product_class"]) == (4.5, 15, "Beds")
    assert (second["description"], second["category"]) == ('create "delicious" meals\tslowly', None)
    judgments = validate(source.tables["judgments"], JUDGMENTS, known_products=IdMap(products.table["product_id"]))
    assert judgments.table.select(["query", "product_id", "grade", "split"]).to_pylist() == [
        {"query": "bed, wood", "product_id": "0", "grade": 1.0, "split": "test"},
        {"query": "bed, wood", "product_id": "1", "grade": 0.5, "split": "test"},
        {"query": "salon chair", "product_id": "1", "grade": 0.0, "split": "test"},
    ]
    assert judgments.quarantine["query_id"].to_pylist() == ["9"]


def test_every_line_is_accounted_for(folder):
    source = load_wands(folder)
    assert {account.name: dict(account.fates) for account in source.accounts} == {
        "product": {"products": 2, "set aside": 1},
        "query": {"joined to their labels": 2, "set aside": 0},
        "label": {"judgments": 4, "set aside": 0},
    }
    assert source.rejected["products"]["line"].to_pylist() == [4]


def test_a_folder_without_the_files_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"must hold product\.csv, query\.csv and label\.csv"):
        load_wands(tmp_path)


def test_a_download_goes_on_and_its_rows_are_counted(site, tmp_path):
    site.files = {f"/{name}.csv": content.encode() for name, content in FILES.items()}
    rows = {"product": 2, "query": 2, "label": 4}
    site.break_after = 40
    with pytest.raises(SourceError, match="--path"):
        download_wands(tmp_path, base_url=site.url, num_rows=rows)
    site.break_after = None
    with pytest.raises(SourceError, match=r"label.csv must hold 5 rows.*rows=4"):
        download_wands(tmp_path, base_url=site.url, num_rows={**rows, "label": 5})
    assert ("/product.csv", "bytes=40-") in site.requests
    download_wands(tmp_path, base_url=site.url, num_rows=rows)
    assert load_wands(tmp_path).tables["judgments"].num_rows == 4


def test_the_command_imports_it(aisle_json, folder, tmp_path):
    report = aisle_json("import", "-w", tmp_path / "shop", "--from", "wands", "--path", folder)
    assert {table: values["usable"] for table, values in report["tables"].items()} == {"products": 2, "judgments": 3}
    for account in report["accounts"].values():
        assert sum(account["fates"].values()) == account["rows"]
    for table, values in report["tables"].items():
        sent = sum(account["fates"].get(table, 0) for account in report["accounts"].values())
        assert sent in (0, values["usable"] + values["quarantined"])
