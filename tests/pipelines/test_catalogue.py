import pyarrow as pa
import pytest

from aisle.core.errors import WorkspaceError
from aisle.pipelines.catalogue import (
    judgment_hashes,
    read_judgments,
    read_products,
    validation_queries,
    with_known_quality,
)
from aisle.tables import TIME
from aisle.workspace import Workspace

PRODUCTS = pa.table({"product_id": ["a", "b", "c"], "title": ["red shoe", "blue shoe", "green hat"]})


@pytest.fixture
def with_judgments(import_shop, tmp_path):
    """Import rows of (query, product, grade, split)."""

    def make(rows, **more):
        columns = dict(zip(("query", "product_id", "grade", "split"), map(list, zip(*rows, strict=True)), strict=True))
        return import_shop(tmp_path / "shop", products=PRODUCTS, judgments=pa.table(columns), **more)

    return make


def relevant(workspace):
    """Query → ids of its relevant products."""
    judged = validation_queries(workspace)
    if judged is None:
        return None
    qrels = judged.qrels
    found = {text: [] for text in judged.texts}
    for query, product, grade in zip(qrels.query_index, qrels.product_index, qrels.grade, strict=True):
        assert grade > 0
        found[judged.texts[query]] += judged.ids.id_of([product])
    return found


def test_products_come_back_in_their_order(with_judgments):
    workspace = with_judgments([("shoe", "a", 1, "test")])
    assert read_products(workspace).column("product_id").to_pylist() == ["a", "b", "c"]


def test_without_products_it_is_told(tmp_path):
    with pytest.raises(WorkspaceError, match="must hold 'products'"):
        read_products(Workspace.open(tmp_path / "new", create=True))


def test_each_split_is_a_file_of_its_own(with_judgments):
    workspace = with_judgments([("shoe", "a", 1, "test"), ("hat", "c", 2, "train"), ("shoe", "b", 0, "test")])
    assert read_judgments(workspace, "test").column("product_id").to_pylist() == ["a", "b"]
    assert read_judgments(workspace, "train").column("product_id").to_pylist() == ["c"]
    assert read_judgments(workspace, "validation") is None


def test_a_split_is_read_though_another_is_damaged(with_judgments):
    workspace = with_judgments([("shoe", "a", 1, "test"), ("hat", "c", 2, "train")])
    (workspace.folder("judgments") / "test.parquet").write_bytes(b"broken")
    assert read_judgments(workspace, "train").num_rows == 1
    with pytest.raises(WorkspaceError, match=r"test\.parquet"):
        read_judgments(workspace, "test")


def test_hashes_change_with_their_own_split_alone(with_judgments):
    rows = [("shoe", "a", 1, "test"), ("hat", "c", 2, "train")]
    splits = ("train", "validation", "test")
    before = judgment_hashes(with_judgments(rows), splits)
    after = judgment_hashes(with_judgments([("other", "b", 3, "test"), *rows]), splits)
    assert before["judgments/validation"] == after["judgments/validation"] == "none"
    assert before["judgments/train"] == after["judgments/train"] != "none"
    assert before["judgments/test"] != after["judgments/test"]


def test_hashes_of_a_shop_without_judgments(import_shop, tmp_path):
    workspace = import_shop(tmp_path / "shop", products=PRODUCTS, judgments=None)
    assert judgment_hashes(workspace, ("train",)) == {"judgments/train": "none"}
    assert validation_queries(workspace) is None


ROWS = [
    ("shoe", "a", 3, "validation"),
    ("shoe", "b", 2, "validation"),
    ("hat", "c", 1, "validation"),
    ("cap", "c", 3, "test"),
]


def test_the_highest_grade_is_relevant_for_validation(with_judgments):
    assert relevant(with_judgments(ROWS)) == {"shoe": ["a"]}


def test_with_stages_a_click_is_relevant_for_validation(with_judgments):
    assert relevant(with_judgments(ROWS, grades="clicked=2,ordered=3")) == {"shoe": ["a", "b"]}


def test_a_stage_that_begins_at_zero_is_relevant_all_the_same(with_judgments):
    rows = [("shoe", "a", 0, "validation"), ("shoe", "b", -1, "validation")]
    assert relevant(with_judgments(rows, grades="clicked=0,ordered=1")) == {"shoe": ["a"]}


def test_a_highest_grade_of_zero_is_no_relevance(with_judgments):
    assert relevant(with_judgments([("shoe", "a", 0, "validation"), ("hat", "c", 0, "validation")])) is None


def test_products_that_have_left_the_catalogue_validate_nothing(with_judgments, import_shop):
    workspace = with_judgments(ROWS, grades="clicked=2,ordered=3")
    import_shop(workspace.path, products=PRODUCTS.slice(1), judgments=None)
    assert relevant(workspace) == {"shoe": ["b"]}
    import_shop(workspace.path, products=PRODUCTS.slice(2), judgments=None)
    assert relevant(workspace) is None


DAY = 86_400_000_000
RATED = pa.table(
    {
        "product_id": ["a", "b", "c", "d"],
        "quality_stars": [1.0, 2.0, 3.0, 4.0],
        "quality_sales": pa.array([5, 6, None, 8], pa.float64()),
        "updated_at": pa.array([1 * DAY, 2 * DAY, 1 * DAY, None], TIME),
    }
)


def test_quality_that_is_not_older_than_a_time_is_not_known():
    known = with_known_quality(RATED, before_us=2 * DAY)
    assert known.column("quality_stars").to_pylist() == [1.0, None, 3.0, None]
    assert known.column("quality_sales").to_pylist() == [5.0, None, None, None]
    assert known.drop_columns(["quality_stars", "quality_sales"]).equals(RATED.select(["product_id", "updated_at"]))


@pytest.mark.parametrize("dated", [None, pa.nulls(4)])
def test_quality_without_dates_is_not_there(dated):
    products = RATED.drop_columns("updated_at")
    products = products if dated is None else products.append_column("updated_at", dated)
    known = with_known_quality(products, before_us=2 * DAY)
    assert known.column_names == [name for name in products.column_names if not name.startswith("quality_")]
    assert with_known_quality(known, before_us=0).equals(known)
