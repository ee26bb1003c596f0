import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.text import word_lists
from aisle.features import product_text

SCHEMA = pa.schema(
    {
        "product_id": pa.string(),
        "title": pa.string(),
        "brand": pa.string(),
        "category": pa.list_(pa.string()),
        "attributes": pa.map_(pa.string(), pa.string()),
        "description": pa.string(),
    }
)
TEXT = st.sampled_from(["red", "连衣裙", "Touch screen", "true", "No", "2.13", "", "a\nb"])
ROW = st.fixed_dictionaries(
    {
        "title": TEXT,
        "brand": st.none() | TEXT,
        "category": st.none() | st.lists(st.none() | TEXT, max_size=3),
        "attributes": st.none() | st.lists(st.tuples(st.sampled_from(["a_b", "c"]), st.none() | TEXT), max_size=3),
        "description": st.none() | TEXT,
    }
)


def table(rows):
    return pa.Table.from_pylist([{"product_id": str(number), **row} for number, row in enumerate(rows)], schema=SCHEMA)


def texts(products):
    return {name: column.to_pylist() for name, column in product_text(products).by_weight().items()}


def said(key, value):
    if value is None or value.lower() in ("false", "no") or re.fullmatch(r"[-+0-9.,\s]*", value):
        return ""
    return key.replace("_", " ") if value.lower() in ("true", "yes") else value


def texts_of_row(row):
    return {
        "title": row["title"],
        "brand": row["brand"] or "",
        "category": " ".join(name or "" for name in row["category"] or []),
        "attributes": " ".join(said(key, value) for key, value in row["attributes"] or []),
        "description": row["description"] or "",
    }


def test_a_product_says_its_words_but_not_its_bare_numbers():
    product = {
        "title": "Laser printer",
        "brand": "Acme",
        "category": ["Office", "Printers"],
        "attributes": [("colour", "Black"), ("touch_screen", "True"), ("wifi", "no"), ("weight", "2,5"), ("x", None)],
        "description": "Quiet.",
    }
    found = product_text(table([product]))
    assert [column[0].as_py().split() for column in found.by_weight().values()] == [
        ["Laser", "printer"],
        ["Acme"],
        ["Office", "Printers"],
        ["Black", "touch", "screen"],
        ["Quiet."],
    ]
    assert " ".join(found.joined()[0].as_py().split()) == "Laser printer Acme Office Printers Black touch screen Quiet."


@pytest.mark.parametrize("columns", [["title"], ["title", "brand", "category", "attributes", "description"]])
def test_columns_that_are_absent_or_null_are_empty_texts(columns):
    products = table([{"title": "a"}, {"title": "b"}]).select(columns)
    empty = {name: ["", ""] for name in ("brand", "category", "attributes", "description")}
    assert texts(products) == {"title": ["a", "b"], **empty}
    assert product_text(products).joined().to_pylist() == ["a", "b"]


def test_columns_that_are_null_throughout_may_be_without_a_type():
    nulls = {name: pa.nulls(1) for name in ("brand", "category", "attributes", "description")}
    assert product_text(pa.table({"title": ["a"], **nulls})).joined().to_pylist() == ["a"]


def test_no_products_have_no_texts():
    for products in (
        table([]),
        table([{"title": "a"}]).slice(1, 0),
        pa.table({"title": pa.chunked_array([], "string")}),
    ):
        found = product_text(products)
        assert len(found) == 0
        assert found.joined().to_pylist() == []


@given(st.lists(ROW, max_size=6))
def test_every_row_reads_as_it_does_by_hand(rows):
    expected = [texts_of_row(row) for row in rows]
    assert texts(table(rows)) == {name: [row[name] for row in expected] for name in texts(table([]))}


@given(st.lists(ROW, max_size=8), st.data())
def test_slices_and_chunks_read_like_the_rows_that_they_hold(rows, data):
    begin = data.draw(st.integers(0, len(rows)))
    end = data.draw(st.integers(begin, len(rows)))
    whole, piece = table(rows), table(rows[begin:end])
    assert texts(whole.slice(begin, end - begin)) == texts(piece)
    rotated = pa.concat_tables([whole.slice(begin), whole.slice(0, begin)])
    assert texts(rotated) == texts(table(rows[begin:] + rows[:begin]))
    assert texts(whole.take(pa.array(range(begin, end), pa.int64()))) == texts(piece)


def test_a_slice_does_not_read_the_values_of_other_rows():
    rows = [{"title": "a", "category": ["x"], "attributes": [("k", "v")]}] * 9
    found = product_text(table(rows).slice(3, 5))
    assert found.attributes.to_pylist() == ["v"] * 5
    assert found.category.to_pylist() == ["x"] * 5


@given(st.lists(st.none() | TEXT, max_size=8), st.integers(0, 8), st.integers(0, 8))
def test_words_of_a_sliced_column_are_those_of_its_rows(column, begin, length):
    sliced = pa.array(column, pa.string()).slice(min(begin, len(column)), length)
    assert word_lists(sliced).to_pylist() == word_lists(pa.array(sliced.to_pylist(), pa.string())).to_pylist()
