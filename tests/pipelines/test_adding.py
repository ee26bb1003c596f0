import pyarrow as pa
import pytest

from aisle.core.errors import TableError, UsageError
from aisle.pipelines.adding import joined
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.importing import import_tables
from aisle.sources import SourceTables
from aisle.tables import SCHEMAS, TIME, read_parquet
from aisle.workspace import Workspace


def impressions(*rows):
    names = ("search_id", "product_id", "position", "ordered_at")
    return pa.table({name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)})


def test_a_later_row_of_the_same_key_takes_the_place_of_the_earlier_and_new_ones_stand_behind():
    before = impressions(("q1", "a", 1, 5), ("q1", "b", 2, None), ("q2", "a", 1, None))
    later = impressions(("q3", "a", 1, None), ("q1", "b", 2, 9))
    assert (
        joined(before, later, SCHEMAS["impressions"]).to_pylist()
        == impressions(("q1", "a", 1, 5), ("q1", "b", 2, 9), ("q2", "a", 1, None), ("q3", "a", 1, None)).to_pylist()
    )


@pytest.mark.parametrize(("then", "now", "price"), [(1, 2, 20), (2, 1, 10), (1, 1, 20), (None, 1, 20), (1, None, 20)])
def test_a_product_that_was_updated_later_stays(then, now, price):
    before, later = (
        pa.table({"product_id": ["a"], "price": [amount], "updated_at": pa.array([at], TIME)})
        for amount, at in ((10, then), (20, now))
    )
    assert joined(before, later, SCHEMAS["products"]).column("price").to_pylist() == [price]


def test_events_that_are_equal_count_once():
    before = pa.table({"actor_id": ["u", "u"], "at": [1, 2]})
    later = pa.table({"actor_id": ["u", "v"], "at": [2, 2]})
    expected = [{"actor_id": "u", "at": 1}, {"actor_id": "u", "at": 2}, {"actor_id": "v", "at": 2}]
    assert joined(before, later, SCHEMAS["events"]).to_pylist() == expected


def test_columns_that_one_lacks_are_null_there():
    before, later = pa.table({"user_id": ["u"], "age": [3]}), pa.table({"user_id": ["v"], "location": ["de"]})
    assert joined(before, later, SCHEMAS["users"]).to_pylist() == [
        {"user_id": "u", "age": 3, "location": None}, {"user_id": "v", "age": None, "location": "de"},
    ]  # fmt: skip


def test_a_column_of_another_type_is_refused():
    before, later = pa.table({"user_id": ["u"], "age": [3]}), pa.table({"user_id": ["v"], "age": ["three"]})
    with pytest.raises(TableError, match=r"added to users must have columns of the same types.*without --add"):
        joined(before, later, SCHEMAS["users"])


def test_a_day_is_imported_behind_the_days_before_and_a_second_time_changes_nothing(tmp_path, grown_tables):
    workspace = Workspace.open(tmp_path / "shop", create=True)
    import_tables(workspace, SourceTables(grown_tables(20)))
    later = grown_tables(30, start=20, num_products=31)
    outcome = import_tables(workspace, SourceTables(later), add=True)
    assert outcome.reports["searches"].num_usable == 10
    searches = read_parquet(workspace.verified("searches") / "searches.parquet")
    assert searches.column("search_id").to_pylist() == [f"q{number}" for number in range(30)]
    assert read_products(workspace).column("product_id").to_pylist() == [f"p{number}" for number in range(31)]
    before = workspace.manifest("searches").content
    again = import_tables(workspace, SourceTables(later), add=True)
    assert again.skipped == ["products", "searches", "impressions"]
    assert workspace.manifest("searches").content == before


def test_rows_may_name_what_was_imported_before(tmp_path, grown_tables):
    workspace = Workspace.open(tmp_path / "shop", create=True)
    import_tables(workspace, SourceTables(grown_tables(20)))
    later = grown_tables(21, start=19)
    del later["products"], later["searches"]
    # q20 is no search that anybody knows.
    outcome = import_tables(workspace, SourceTables(later), add=True)
    assert (outcome.reports["impressions"].num_rows, outcome.reports["impressions"].num_usable) == (6, 3)


def test_the_first_rows_may_be_added_to_nothing(tmp_path, grown_tables):
    workspace = Workspace.open(tmp_path / "shop", create=True)
    assert import_tables(workspace, SourceTables(grown_tables(5)), add=True).skipped == []
    assert read_products(workspace).num_rows == 30


def test_judgments_are_not_added_to(built_shop, simulated):
    with pytest.raises(UsageError, match="Import judgments whole"):
        import_tables(built_shop, SourceTables({"judgments": simulated.judgments}), add=True)
