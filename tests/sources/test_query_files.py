import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aisle.core.errors import SourceError, TableError
from aisle.sources.query_files import QUERY_FILE, read_queries_file


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.csv", "query_id,query,user_id\nq1,lamp,u\nq2,sofa,\n"),
        ("q.tsv", "query\tuser_id\nlamp\tu\nsofa\t\n"),
        ("q.jsonl", '{"query": "lamp", "user_id": "u"}\n{"query": "sofa"}\n'),
        ("q.txt", "lamp\n\nsofa"),
        ("q.txt.gz", "\ufefflamp\r\nsofa\r\n"),
    ],
)
def test_every_format_gives_the_same_queries(tmp_path, name, text):
    found = read_queries_file(write(tmp_path, name, text)).table
    assert found.column_names == list(QUERY_FILE.names)
    assert found.column("query_id").to_pylist() == ["q1", "q2"]
    assert found.column("query").to_pylist() == ["lamp", "sofa"]
    assert found.column("user_id").to_pylist() == ([None, None] if ".txt" in name else ["u", None])
    assert found.column("searched_at").null_count == 2


def test_parquet_keeps_its_times_and_leaves_other_columns_out(tmp_path):
    table = {"query": ["lamp"], "search_id": ["s9"], "searched_at": ["2025-01-01T00:00:01Z"], "note": ["x"]}
    pq.write_table(pa.table(table), tmp_path / "q.parquet")
    (row,) = read_queries_file(tmp_path / "q.parquet").table.to_pylist()
    assert (row["query_id"], row["searched_at"].timestamp(), "note" in row) == ("s9", 1_735_689_601, False)


def test_what_cannot_be_asked_is_set_aside_with_its_reason(tmp_path):
    rows = [
        {"query_id": "a", "query": "lamp", "searched_at": "2025-01-01"},
        {"query_id": "b", "query": "  ", "searched_at": None},
        {"query_id": "a", "query": "sofa", "searched_at": None},
        {"query_id": "c", "query": "rug", "searched_at": "soon"},
    ]
    found = read_queries_file(write(tmp_path, "q.jsonl", "".join(json.dumps(row) + "\n" for row in rows)))
    assert found.table.column("query_id").to_pylist() == ["a"]
    assert found.quarantine.num_rows == 3
    told = " ".join(map(str, found.report.problems))
    assert all(text in told for text in ("not blank", "must be unique", "searched_at"))


@pytest.mark.parametrize(
    ("name", "text", "error", "expected"),
    [
        ("q.csv", "text\nlamp\n", TableError, r"must have the columns .*query.*missing=\['query'\]"),
        ("q.csv", "query,user_id\n,u\n", TableError, "at least one usable row"),
        ("q.csv", "", SourceError, "must not be empty"),
        ("q.txt", "\n \n", SourceError, "must not be empty"),
        ("q.doc", "lamp", SourceError, r"must end in .csv.*\.txt"),
        ("q.jsonl", '{"query": "lamp"}\n{"query"\n', SourceError, "Every line of a file of queries must be a row"),
    ],
)
def test_files_without_queries_are_refused(tmp_path, name, text, error, expected):
    with pytest.raises(error, match=expected):
        read_queries_file(write(tmp_path, name, text))


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(SourceError, match="must exist"):
        read_queries_file(tmp_path / "none.txt")
    with pytest.raises(SourceError, match="must be a file"):
        read_queries_file(tmp_path)
