import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import ConfigError
from aisle.sources import ColumnMap


def test_commas_in_brackets_and_quotes_do_not_divide():
    text = """title=name, price=round(price/100, 2),category=[a,b],x="odd, name",y='it''s, ok',z={'k': [a, b]},"""
    assert dict(ColumnMap.parse(text).columns) == {
        "title": "name",
        "price": "round(price/100, 2)",
        "category": "[a,b]",
        "x": '"odd, name"',
        "y": "'it''s, ok'",
        "z": "{'k': [a, b]}",
    }


def test_the_first_equals_sign_divides():
    assert dict(ColumnMap.parse("in_stock=stock='yes'").columns) == {"in_stock": "stock='yes'"}


WORDS = st.text(st.characters(categories=["Ll"]), min_size=1)


@given(st.dictionaries(WORDS, WORDS, min_size=1))
def test_plain_maps_come_back(columns):
    assert dict(ColumnMap.parse(",".join(f"{name}={source}" for name, source in columns.items())).columns) == columns


def test_every_bad_part_is_told_at_once():
    with pytest.raises(ConfigError) as caught:
        ColumnMap.parse("title=a,title=b,price,=c,brand=")
    for message in ("title stands twice", "'price' is not", "'=c' is not", "'brand=' is not of the form name=source"):
        assert message in str(caught.value)


def test_toml_maps_each_table(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text('[products]\ntitle = "name"\nprice = "price/100"\n[judgments]\ngrade = "rating"\n')
    assert dict(ColumnMap.load(path, table="products").columns) == {"title": "name", "price": "price/100"}
    assert dict(ColumnMap.load(path, table="judgments").columns) == {"grade": "rating"}
    assert dict(ColumnMap.load(path, table="users").columns) == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"[product]\ntitle = 'x'\n[users]\nuser_id = 3",
            r"\[product\] is no table \(did you mean .*\[users\] must hold texts",
        ),
        (b"title = 'name'", r"\[title\] is no table"),
        (b"[products", "must be readable TOML"),
        (b"\xff", "must be readable TOML"),
    ],
)
def test_a_bad_toml_file_is_refused(tmp_path, content, message):
    path = tmp_path / "map.toml"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=message):
        ColumnMap.load(path, table="products")


def test_a_missing_toml_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="must be readable TOML"):
        ColumnMap.load(tmp_path / "none.toml", table="products")


TABLE = pa.table({"id": ["1", "2"], "name": ["a", "b"], "title": ["old", "old"], "price": ["100", "250"], "a": [1, 2]})


def test_mapped_columns_replace_and_rename_and_others_stay():
    made = ColumnMap.parse("product_id=id,title=name,price=price/100,category=[name, title]").apply(TABLE)
    assert made.to_pylist() == [
        {"product_id": "1", "title": "a", "price": 1.0, "category": ["a", "old"], "a": 1},
        {"product_id": "2", "title": "b", "price": 2.5, "category": ["b", "old"], "a": 2},
    ]


def test_one_column_may_feed_two():
    made = ColumnMap.parse("product_id=id,group_id=id").apply(TABLE)
    assert made["product_id"].equals(made["group_id"])


def test_an_empty_map_changes_nothing():
    assert ColumnMap.parse("").apply(TABLE).equals(TABLE)


def test_rows_keep_their_order():
    table = pa.table({"n": list(range(300_000))})
    made = ColumnMap.parse("m=n+1").apply(table)
    assert made["m"].to_numpy().tolist() == list(range(1, 300_001))


def test_every_source_that_does_not_fit_is_told_at_once():
    with pytest.raises(ConfigError) as caught:
        ColumnMap.parse("title=nam,price=sum(price),brand=(SELECT 1)").apply(TABLE)
    for message in ("did you mean 'name'?", "no scalar function sum", "without subquery", "columns=['id', 'name'"):
        assert message in str(caught.value)
