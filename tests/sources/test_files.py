import json

import pyarrow as pa
import pytest

from aisle.core.errors import ConfigError, SourceError
from aisle.sources import ColumnMap, read_table
from aisle.tables import PRODUCTS, validate, write_parquet

CSV = "id,name,price,category,attributes\n1,a,995,x > y,k:v\n2,b,call,z,\n"
JSONL = "\n".join(
    [
        json.dumps({"id": 1, "name": "a", "price": 995, "category": ["x", "y"], "attributes": {"k": "v"}}),
        json.dumps({"id": 2, "name": "b", "price": "call", "category": ["z"]}),
    ]
)
MAPPING = ColumnMap.parse("product_id=id,title=name,price=price/100")


@pytest.fixture(params=["products.csv", "products.jsonl", "products.parquet", "PRODUCTS.CSV"])
def path(request, tmp_path):
    path = tmp_path / request.param
    if path.suffix == ".parquet":
        table = pa.table(
            {
                "id": [1, 2],
                "name": ["a", "b"],
                "price": ["995", "call"],
                "category": [["x", "y"], ["z"]],
                "attributes": [{"k": "v"}, None],
            }
        )
        write_parquet(table, path)
    else:
        path.write_text(CSV if path.suffix.lower() == ".csv" else JSONL)
    return path


def test_every_format_gives_the_same_products(path):
    table, rejected = read_table(path, schema=PRODUCTS, mapping=MAPPING)
    assert rejected.num_rows == 0
    validated = validate(table, PRODUCTS)
    assert validated.table.select(["product_id", "title", "price", "category", "attributes"]).to_pylist() == [
        {"product_id": "1", "title": "a", "price": 9.95, "category": ["x", "y"], "attributes": [("k", "v")]},
        {"product_id": "2", "title": "b", "price": None, "category": ["z"], "attributes": None},
    ]
    [problem] = validated.report.problems
    assert (problem.column, problem.first) == ("price", ((2, "call"),))


def test_without_a_mapping_columns_keep_their_names(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(CSV)
    table, _ = read_table(path, schema=PRODUCTS)
    assert table.column_names == ["id", "name", "price", "category", "attributes"]
    assert table["category"].to_pylist() == [["x", "y"], ["z"]]


def test_rejected_lines_stand_beside_the_rows(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": 1}\n{"id": \n{"id": 3}')
    table, rejected = read_table(path, schema=PRODUCTS)
    assert table["id"].to_pylist() == [1, 3]
    assert rejected["line"].to_pylist() == [2]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", b"", "must not be empty"),
        ("a.jsonl", b" \n", "must not be empty"),
        ("a.csv", b"id,title\n", "must hold at least one row"),
        ("a.csv", b"id,title\n1,2,3\n", r"must hold at least one row.*has 3 fields"),
        ("a.jsonl", b"{]\n", r"must hold at least one row.*is not valid JSON"),
        ("a.csv", b"id,title\n1,caf\xe9\n", "must be UTF-8"),
        ("a.jsonl", b'{"a": "\xff"}', "must be UTF-8"),
        ("a.parquet", b"PAR1 cut", r"must be a whole Parquet file.*bytes=8"),
        ("a.xlsx", b"x", "must end in .csv"),
        ("a.csv.gz", b"x", "must be readable and whole"),
    ],
)
def test_files_that_cannot_be_read_are_refused(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SourceError, match=message):
        read_table(path, schema=PRODUCTS)


def test_missing_files_and_folders_are_refused(tmp_path):
    with pytest.raises(SourceError, match="must exist"):
        read_table(tmp_path / "none.csv", schema=PRODUCTS)
    with pytest.raises(SourceError, match="must be a file"):
        read_table(tmp_path, schema=PRODUCTS)


def test_an_error_of_the_reader_is_no_traceback(tmp_path, monkeypatch):
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": "x" * 1000}))
    monkeypatch.setattr("aisle.sources.jsonl._LONGEST_LINE", 10)
    with pytest.raises(SourceError, match="must be readable"):
        read_table(path, schema=PRODUCTS)


def test_a_mapping_that_does_not_fit_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(CSV)
    with pytest.raises(ConfigError, match="did you mean 'name'"):
        read_table(path, schema=PRODUCTS, mapping=ColumnMap.parse("title=nam"))


def test_a_name_that_looks_like_a_pattern_is_one_file(tmp_path):
    (tmp_path / "a1.csv").write_text("id\nwrong\n")
    path = tmp_path / "a[1].csv"
    path.write_text("id\nright\n")
    assert read_table(path, schema=PRODUCTS)[0]["id"].to_pylist() == ["right"]
