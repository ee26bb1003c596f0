from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.live import rows as module
from aisle.live.rows import check_rows, product_table
from aisle.tables import PRODUCTS, validate

WHOLE = {
    "product_id": "a",
    "title": "Red lamp",
    "category": ["Home", "Lamps"],
    "price": 3,
    "in_stock": True,
    "attributes": {"colour": "red"},
    "updated_at": "2026-01-01T01:00:00+01:00",
    "quality_stars": 4.5,
    "image": "https://example.org/a.png",
}


def test_a_plain_row_is_taken_as_it_is():
    [one] = check_rows([{**WHOLE, "brand": None}], PRODUCTS)
    assert one.problem is None
    assert one.row == {**WHOLE, "price": 3.0, "updated_at": datetime(2026, 1, 1, tzinfo=UTC)}


def test_what_needs_reading_is_read_as_from_a_file():
    row = {"product_id": 17, "title": "Lamp", "price": "3.50", "category": "Home > Lamps", "in_stock": "yes"}
    row |= {"attributes": {"watt": 5}, "updated_at": 1_767_225_600, "image": {"small": "s.png"}}
    [one] = check_rows([row], PRODUCTS)
    assert one.problem is None
    assert (one.row["product_id"], one.row["price"], one.row["in_stock"]) == ("17", 3.5, True)
    assert (one.row["category"], one.row["attributes"]) == (["Home", "Lamps"], {"watt": "5"})
    assert one.row["updated_at"] == datetime(2026, 1, 1, tzinfo=UTC)
    assert one.row["image"] == {"small": "s.png"}


def test_a_bad_value_is_left_out_and_told():
    [one] = check_rows([{**WHOLE, "price": -1, "updated_at": "yesterday"}], PRODUCTS)
    assert not {"price", "updated_at"} & one.row.keys()
    assert "price=-1" in one.problem
    assert "updated_at='yesterday'" in one.problem


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ([1], "must be an object"),
        (None, "must be an object"),
        ({"product_id": "a"}, "title must be present"),
        ({"product_id": " ", "title": "Lamp"}, "product_id must be present"),
        ({"product_id": {"a": 1}, "title": "Lamp"}, "product_id must be present"),
        ({"product_id": "a", "title": "\ud800"}, "valid JSON and Unicode"),
        ({"product_id": "a", "title": "Lamp", "price": 10**30}, "valid JSON and Unicode"),
    ],
)
def test_a_row_of_no_use_is_refused_beside_good_ones(row, told):
    before, refused, after = check_rows([WHOLE, row, {**WHOLE, "price": "2"}], PRODUCTS)
    assert (before.row["product_id"], after.row["price"]) == ("a", 2.0)
    assert refused.row is None
    assert told in refused.problem
    assert refused.problem.endswith("Mend the row and send it again.")


VALUES = {
    "product_id": st.sampled_from(["a", " b", "c\0", "", 7, 1.0, True, None, ["x"]]),
    "title": st.sampled_from(["Lamp", "  ", "\0", 3, None, {"a": 1}]),
    "price": st.sampled_from([3, 2.5, -1, "4", "x", True, None, [1]]),
    "in_stock": st.sampled_from([True, "no", 1, "maybe", None]),
    "category": st.sampled_from([["A", "B"], [], [""], "A > B", [1], None]),
    "attributes": st.sampled_from([{"a": "b"}, {}, {"": "x"}, {"a": 1}, {"a": None}, "a", None]),
    "created_at": st.sampled_from(["2026-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01", 1.7e9, 5, None]),
    "quality_x": st.sampled_from([1, "2", "x", None]),
}


@given(st.lists(st.fixed_dictionaries({}, optional=VALUES), max_size=4))
def test_what_is_taken_as_it_is_equals_what_is_read(rows):
    kept = module._plainly
    quick = check_rows(rows, PRODUCTS)
    try:
        module._plainly = lambda row, schema: None
        slow = check_rows(rows, PRODUCTS)
    finally:
        module._plainly = kept
    assert [one.row for one in quick] == [one.row for one in slow]


def test_checked_rows_are_a_table_of_the_contract():
    rows = [one.row for one in check_rows([WHOLE, {"product_id": "b", "title": "Sofa", "image": 3}], PRODUCTS)]
    table = product_table([{**rows[0], "updated_at": "2026-01-01T00:00:00+00:00"}, rows[1]])
    checked = validate(table, replace(PRODUCTS, key=()))
    assert checked.report.problems == ()
    assert checked.table.equals(table)
    assert table["image"].to_pylist() == ['"https://example.org/a.png"', "3"], "of two kinds: JSON text"
    assert table["updated_at"][0].as_py() == datetime(2026, 1, 1, tzinfo=UTC)
