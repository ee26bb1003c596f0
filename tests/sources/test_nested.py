import pyarrow as pa
import pytest

from aisle.sources.nested import split_nested
from aisle.tables import PRODUCTS, validate


def split(**columns):
    return split_nested(pa.table(columns), PRODUCTS)


@pytest.mark.parametrize(
    ("texts", "lists"),
    [
        (["a > b", "c / d > e|f", "g", "", None], [["a", "b"], ["c / d", "e|f"], ["g"], None, None]),
        (["a / b", "c|d"], [["a", "b"], ["c|d"]]),
        (["a|b"], [["a", "b"]]),
        (["a>b", "c/d"], [["a>b"], ["c/d"]]),
        (['["a > b", "c"]', "d / e"], [["a > b", "c"], ["d", "e"]]),
        (["[broken", "a"], [["[broken"], ["a"]]),
        ([None, None], [None, None]),
    ],
)
def test_category_paths(texts, lists):
    assert split(category=pa.array(texts, pa.string()))["category"].to_pylist() == lists


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("Color: red|Size:L", [("Color", "red"), ("Size", "L")]),
        ("time:10:30", [("time", "10:30")]),
        ("a:1|flag|b:2|", [("a", "1"), ("flag", ""), ("b", "2")]),
        ("c:red|s:L|c:blue", [("c", "red, blue"), ("s", "L")]),
        ('{"a": 1, "b": {"c": [2]}, "d": "x|y:z"}', [("a", "1"), ("b", '{"c":[2]}'), ("d", "x|y:z")]),
        ("", None),
        (None, None),
        ("waterproof", [("", "waterproof")]),
        ('{"a": 1', [("", '{"a": 1')]),
    ],
)
def test_attributes(text, entries):
    assert split(attributes=pa.array([text], pa.string()))["attributes"].to_pylist() == [entries]


def test_text_that_is_no_map_is_named_by_validation():
    table = split(product_id=["p1", "p2"], title=["a", "b"], attributes=["waterproof", "k:v"])
    validated = validate(table, PRODUCTS)
    assert validated.table["attributes"].to_pylist() == [None, [("k", "v")]]
    assert validated.report.problems[0].first == ((1, "[('', 'waterproof')]"),)


def test_structs_become_maps_without_their_nulls():
    table = split(attributes=[{"a": 1, "b": None, "c": "x"}, {"a": None, "b": True, "c": None}])
    assert table["attributes"].to_pylist() == [[("a", "1"), ("c", "x")], [("b", "true")]]


def test_lists_maps_and_other_columns_are_left_alone():
    columns = {
        "title": ["a > b"],
        "extra": ["k:v"],
        "category": [["x > y"]],
        "attributes": pa.array([[("k", "v|w:x")]], pa.map_(pa.string(), pa.string())),
    }
    assert split(**columns).equals(pa.table(columns))
