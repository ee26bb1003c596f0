import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aisle.core.errors import TableError, UsageError
from aisle.pipelines.catalogue import STAGE_GRADE, read_judgments, read_products
from aisle.pipelines.importing import import_files, import_source, import_tables
from aisle.sources import ColumnMap, SourceTables
from aisle.tables import parse_grades
from aisle.workspace import Workspace

PRODUCTS = "product_id,title,price\na,Red shoe,10\nb,,20\na,Red shoe again,30\nc,Green hat,cheap\nd,Blue,1,2,3\n"
JUDGMENTS = "query,product_id,grade\nshoe,a,3\nhat,c,2\nhat,zzz,2\n"


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "shop", create=True)


@pytest.fixture
def files(tmp_path):
    paths = {"products": tmp_path / "products.csv", "judgments": tmp_path / "judgments.csv"}
    paths["products"].write_text(PRODUCTS)
    paths["judgments"].write_text(JUDGMENTS)
    return paths


def test_usable_rows_are_imported_and_the_rest_is_set_aside_and_counted(workspace, files):
    outcome = import_files(workspace, files)
    assert read_products(workspace).to_pydict() == {
        "product_id": ["a", "c"],
        "title": ["Red shoe", "Green hat"],
        "price": [10.0, None],
    }
    products, judgments = outcome.reports["products"], outcome.reports["judgments"]
    assert (products.num_rows, products.num_usable, outcome.rejected["products"]) == (4, 2, 1)
    assert (judgments.num_rows, judgments.num_usable, outcome.rejected["judgments"]) == (3, 2, 0)
    rows = pq.read_table(workspace.folder("products") / "quarantine" / "rows.parquet").to_pylist()
    assert [(row["_row"], row["product_id"], row["title"]) for row in rows] == [
        (2, "b", None),
        (3, "a", "Red shoe again"),
    ]
    assert ["title" in rows[0]["_reason"], "unique" in rows[1]["_reason"]] == [True, True]
    [line] = pq.read_table(workspace.folder("products") / "quarantine" / "lines.parquet").to_pylist()
    assert (line["line"], line["text"]) == (6, "d,Blue,1,2,3")


def test_the_outcome_is_json_and_names_existing_files(workspace, files):
    values = json.loads(json.dumps(import_files(workspace, files).as_dict()))
    assert values["tables"]["products"]["rows"] == 4
    assert values["tables"]["products"]["quarantined"] == 2
    assert values["tables"]["products"]["rejected_lines"] == 1
    assert values["tables"]["judgments"]["skipped"] is False
    assert [path.rpartition("/shop/")[2] for path in values["quarantine"]] == [
        "products/quarantine/lines.parquet",
        "products/quarantine/rows.parquet",
        "judgments/quarantine/rows.parquet",
    ]


def test_a_second_import_is_skipped_and_still_reports_all(workspace, files):
    first, second = import_files(workspace, files), import_files(workspace, files)
    assert (first.skipped, second.skipped) == ([], ["products", "judgments"])
    assert second.reports == first.reports
    assert second.quarantine == first.quarantine
    files["judgments"].write_text(JUDGMENTS + "cap,c,1\n")
    assert import_files(workspace, files).skipped == ["products"]


def test_columns_are_mapped(workspace, tmp_path):
    path = tmp_path / "stock.jsonl"
    path.write_text('{"sku": 7, "name": "Lamp", "cents": 1250, "colour": "red"}\n')
    mapping = ColumnMap({"product_id": "sku", "title": "name", "price": "cents / 100"})
    import_files(workspace, {"products": path}, mapping={"products": mapping})
    assert read_products(workspace).select(["product_id", "title", "price", "colour"]).to_pylist() == [
        {"product_id": "7", "title": "Lamp", "price": 12.5, "colour": "red"}
    ]


def test_products_come_first_whatever_the_order_of_files(workspace, files):
    import_files(workspace, {"judgments": files["judgments"], "products": files["products"]})
    assert workspace.names() == ["judgments", "products"]


def test_judgments_alone_need_products_that_were_imported_before(workspace, files):
    alone = {"judgments": files["judgments"]}
    with pytest.raises(UsageError, match="Products must be imported before judgments"):
        import_files(workspace, alone)
    import_files(workspace, {"products": files["products"]})
    import_files(workspace, alone)
    assert read_judgments(workspace, "test").column("product_id").to_pylist() == ["a", "c"]


def test_grades_become_stages(workspace, files):
    import_files(workspace, files, grades=parse_grades("clicked=2.5"))
    assert read_judgments(workspace, "test").column(STAGE_GRADE).to_pylist() == [2.0, 1.0]
    import_files(workspace, files)
    assert STAGE_GRADE not in read_judgments(workspace, "test").column_names


def test_grades_without_judgments_are_refused(workspace, files):
    with pytest.raises(UsageError, match="--grades must come with judgments"):
        import_files(workspace, {"products": files["products"]}, grades=parse_grades("clicked=1"))
    assert workspace.names() == []


def test_a_column_of_stage_grades_that_nobody_asked_for_is_refused(workspace):
    products = pa.table({"product_id": ["a"], "title": ["x"]})
    judgments = pa.table({"query": ["x"], "product_id": ["a"], "grade": [1.0], STAGE_GRADE: ["high"]})
    with pytest.raises(TableError, match="must not have a column stage_grade"):
        import_tables(workspace, SourceTables({"products": products, "judgments": judgments}, {}, {}))


def test_a_refused_table_leaves_the_old_one(workspace, files):
    import_files(workspace, files)
    before = workspace.manifest("products")
    files["products"].write_text("product_id,title\na,\n")
    with pytest.raises(TableError, match="at least one usable row"):
        import_files(workspace, files)
    assert workspace.manifest("products") == before
    assert read_products(workspace).num_rows == 2


def test_one_table_of_products_gives_the_same_artefact_however_it_is_chunked(import_shop, simulated, tmp_path):
    whole = simulated.products
    cut = pa.concat_tables([whole.slice(0, 100), whole.slice(100)])
    first = import_shop(tmp_path / "first", products=whole, judgments=None)
    second = import_shop(tmp_path / "second", products=cut, judgments=None)
    assert first.manifest("products").fingerprint == second.manifest("products").fingerprint
    assert first.manifest("products").content == second.manifest("products").content


def test_a_known_source_is_read_from_its_folder(workspace, tmp_path):
    folder = tmp_path / "icecat"
    folder.mkdir()
    product = {"id": "1", "title": "USB hub", "price": 2490, "attr_t_color": "black"}
    (folder / "products.jsonl").write_text(json.dumps(product) + "\n")
    import gzip

    (folder / "products.jsonl.gz").write_bytes(gzip.compress((folder / "products.jsonl").read_bytes()))
    (folder / "judgments.csv").write_text("query,docid,rating\nusb hub,1,3\n")
    outcome = import_source(workspace, "icecat", path=folder, cache=tmp_path / "cache")
    assert list(outcome.reports) == ["products", "judgments"]
    assert read_products(workspace).column("price").to_pylist() == [24.9]
    with pytest.raises(UsageError, match="Did you mean icecat"):
        import_source(workspace, "icecta", path=folder, cache=tmp_path / "cache")


def test_an_import_that_is_refused_changes_no_table(workspace, files):
    import_files(workspace, files)
    before = {name: workspace.manifest(name).content for name in workspace.names()}
    files["products"].write_text("product_id,title\nz,New\n")
    with pytest.raises(TableError, match="Table judgments must have at least one usable row"):
        import_files(workspace, files)
    assert {name: workspace.manifest(name).content for name in workspace.names()} == before


def test_other_bad_rows_are_kept_but_change_nothing_for_later_steps(workspace, files):
    import_files(workspace, {"products": files["products"]})
    before = workspace.manifest("products")
    files["products"].write_text(PRODUCTS + "e,,1\n")
    outcome = import_files(workspace, {"products": files["products"]})
    after = workspace.manifest("products")
    assert outcome.skipped == []
    assert after.files != before.files
    assert after.content == before.content


def test_a_source_may_bring_its_own_stages(workspace):
    products = pa.table({"product_id": ["a"], "title": ["x"]})
    judgments = pa.table({"query": ["x", "y"], "product_id": ["a", "a"], "grade": [1.0, 0.1]})
    tables = {"products": products, "judgments": judgments}
    import_tables(workspace, SourceTables(tables, grades=parse_grades("ordered=1,clicked=0.1")))
    assert read_judgments(workspace, "test").column(STAGE_GRADE).to_pylist() == [4.0, 2.0]
    import_tables(workspace, SourceTables(tables, grades=parse_grades("ordered=1")), grades=parse_grades("clicked=1"))
    assert read_judgments(workspace, "test").column(STAGE_GRADE).to_pylist() == [2.0, 1.0]
