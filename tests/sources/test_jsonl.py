import gzip
import json

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import SourceError
from aisle.sources.jsonl import read_jsonl


def read(folder, *lines, name="a.jsonl"):
    path = folder / name
    content = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode()
    path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    return read_jsonl(path)


def test_types_follow_from_the_whole_file(tmp_path):
    table, rejected = read(
        tmp_path,
        {"id": 1, "n": 1, "x": 1, "ok": True, "big": 2**64 - 1, "c": ["a", 1], "a": {"k": 1, "deep": {"z": [2]}}},
        {"id": "b", "n": -2, "x": 2.5, "ok": None, "big": 1, "c": None, "a": {"k": None}, "late": "ü"},
    )
    rows = table.to_pylist()
    assert {name: rows[0][name] for name in ("id", "n", "x", "ok", "big", "c", "late")} == {
        "id": "1", "n": 1, "x": 1.0, "ok": True, "big": str(2**64 - 1), "c": ["a", "1"], "late": None,
    }  # fmt: skip
    assert dict(rows[0]["a"]) == {"k": "1", "deep": '{"z":[2]}'}
    assert (rows[1]["id"], rows[1]["n"], rows[1]["x"], rows[1]["ok"], rows[1]["late"]) == ("b", -2, 2.5, None, "ü")
    assert rejected.num_rows == 0


def test_mixed_kinds_become_text(tmp_path):
    table, _ = read(tmp_path, {"v": "a"}, {"v": ["b", 1]}, {"v": {"c": 2}}, {"v": 3}, {"v": None}, {"v": True})
    assert table["v"].to_pylist() == ["a", '["b",1]', '{"c":2}', "3", None, "true"]


def test_broken_lines_are_rejected_with_their_number(tmp_path):
    table, rejected = read(tmp_path, {"id": 1}, "", '{"id": 2', "[3]", '{"id": 4, "id": 5}', "  ", {"id": 6})
    assert table["id"].to_pylist() == [1, 6]
    assert rejected.to_pylist() == [
        {"line": 3, "reason": "is not valid JSON", "text": '{"id": 2'},
        {"line": 4, "reason": "is not a JSON object", "text": "[3]"},
        {"line": 5, "reason": "names a field twice", "text": '{"id": 4, "id": 5}'},
    ]


def test_broken_lines_alone_give_no_rows(tmp_path):
    table, rejected = read(tmp_path, "nonsense")
    assert (table.num_rows, rejected.num_rows) == (0, 1)


def test_gzip_long_lines_and_crlf(tmp_path):
    table, _ = read(tmp_path, json.dumps({"id": "x" * 3_000_000}) + "\r", {"id": "b"}, name="a.ndjson.gz")
    assert [len(value) for value in table["id"].to_pylist()] == [3_000_000, 1]


def test_odd_names_survive(tmp_path):
    odd = {"a b": "1", 'q"q': "2", "it's": "3", "$.x": "4"}
    assert read(tmp_path, odd)[0].to_pylist() == [odd]


def test_fields_that_differ_in_case_alone_are_refused(tmp_path):
    with pytest.raises(SourceError, match=r"must differ in more than the case.*fields=\['Id', 'id'\]"):
        read(tmp_path, {"id": 1}, {"Id": 2})


def test_objects_without_fields_are_rows(tmp_path):
    assert read(tmp_path, {}, {})[0].num_rows == 2


SCALAR = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | st.text(max_size=5)
VALUE = SCALAR | st.lists(SCALAR, max_size=3) | st.dictionaries(st.text(max_size=3), SCALAR, max_size=3)


@settings(max_examples=40)
@given(st.lists(st.dictionaries(st.sampled_from(["a", "b", "c d"]), VALUE), min_size=1, max_size=6))
def test_no_object_is_lost_and_null_stays_null(tmp_path_factory, rows):
    table, rejected = read(tmp_path_factory.mktemp("jsonl"), *rows)
    assert (table.num_rows, rejected.num_rows) == (len(rows), 0)
    for name in {name for row in rows for name in row}:
        given_nulls = [row.get(name) is None for row in rows]
        assert [value is None for value in table[name].to_pylist()] == given_nulls


@settings(max_examples=40)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_texts_come_back_as_they_were(tmp_path_factory, texts):
    table, _ = read(tmp_path_factory.mktemp("jsonl"), *({"text": text} for text in texts))
    assert table["text"] == pa.chunked_array([texts], pa.string())


def test_null_bytes_of_the_file_are_taken_out(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b'{"id": "1", "title": "a\0b"}\n{"id": "2", "title": "c"}\n')
    table, rejected = read_jsonl(tmp_path / "a.jsonl")
    assert (table["title"].to_pylist(), rejected.num_rows) == (["ab", "c"], 0)
