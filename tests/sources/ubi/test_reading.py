import csv
import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from aisle.core.errors import SourceError
from aisle.sources.ubi import load_ubi
from aisle.sources.ubi.reading import find_files

QUERIES = [
    {"query_id": "q1", "client_id": "c1", "user_query": "red lamp", "timestamp": 1717527761998,
     "query_response_object_ids": ["a", "b"], "application": "shop"},
    {"query_id": "q2", "client_id": "c2", "user_query": "sofa", "timestamp": "2024-06-04T19:02:42.051Z",
     "query_response_object_ids": [], "application": "shop"},
]  # fmt: skip
EVENTS = [
    {"action_name": name, "query_id": "q1", "client_id": "c1", "timestamp": 1717527762000 + number,
     "event_attributes": {"object": {"object_id": product, "object_id_field": "sku"}, "position": {"ordinal": ordinal},
                          "session_id": "s1"}}
    for number, (name, product, ordinal) in enumerate([("item_click", "b", 2), ("add_to_cart", "b", 2)])
]  # fmt: skip


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def write_jsonl(folder):
    (folder / "ubi_queries.jsonl").write_text(lines(QUERIES))
    (folder / "ubi_events.ndjson.gz").write_bytes(gzip.compress(lines(EVENTS).encode()))


def write_bulk(folder):
    rows = []
    for index, documents in (("ubi_queries", QUERIES), ("ubi_events", EVENTS)):
        for document in documents:
            rows += [{"index": {"_index": index, "_id": "x"}}, document]
    (folder / "ubi.ndjson").write_text(lines(rows))


def write_tsv(folder):
    rows = [("ubi_queries", row) for row in QUERIES] + [("ubi_events", row) for row in EVENTS]
    (folder / "ubi_log.tsv").write_text("".join(f"{table}\t{json.dumps(row)}\n" for table, row in rows))


def write_csv(folder):
    for name, rows in (("queries", QUERIES), ("events", EVENTS)):
        with (folder / f"ubi_{name}.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(
                {key: json.dumps(value) if isinstance(value, list | dict) else value for key, value in row.items()}
                for row in rows
            )


def write_flat_csv(folder):
    write_csv(folder)
    (folder / "ubi_queries.csv").write_text(
        "query_id,client_id,user_query,timestamp,query_response_object_ids,application\n"
        'q1,c1,red lamp,1717527761998,"a, b",shop\nq2,c2,sofa,2024-06-04T19:02:42.051Z,,shop\n'
    )
    names = ["object.object_id", "object.object_id_field", "position.ordinal", "session_id"]
    header = ["action_name", "query_id", "client_id", "timestamp", *(f"event_attributes.{name}" for name in names)]
    rows = ["item_click,q1,c1,1717527762000,b,sku,2,s1", "add_to_cart,q1,c1,1717527762001,b,sku,2,s1"]
    (folder / "ubi_events.csv").write_text("\n".join([",".join(header), *rows]) + "\n")


def write_parquet(folder):
    queries = [{**row, "timestamp": str(row["timestamp"])} for row in QUERIES]
    pq.write_table(pa.Table.from_pylist(queries), folder / "ubi_queries.parquet")
    pq.write_table(pa.Table.from_pylist(EVENTS), folder / "ubi_events.parquet", row_group_size=1)


@pytest.mark.parametrize("write", [write_jsonl, write_bulk, write_tsv, write_csv, write_flat_csv, write_parquet])
def test_every_form_gives_the_same_tables(tmp_path, write):
    write(tmp_path)
    source = load_ubi(tmp_path)
    searches = source.tables["searches"].to_pylist()
    assert [(row["search_id"], row["query"], row["session_id"]) for row in searches] == [
        ("q1", "red lamp", "s1"), ("q2", "sofa", None),
    ]  # fmt: skip
    assert [row["searched_at"].timestamp() for row in searches] == [1717527761.998, 1717527762.051]
    assert [row["application"] for row in searches] == ["shop", "shop"]
    impressions = source.tables["impressions"].to_pylist()
    assert [(row["product_id"], row["position"]) for row in impressions] == [("a", 1), ("b", 2)]
    assert impressions[1]["clicked_at"].timestamp() == 1717527762
    assert impressions[1]["carted_at"].timestamp() == 1717527762.001
    assert source.tables["events"].num_rows == 0
    assert sum(account.num_rows for account in source.accounts) == 4
    bulk = [note for note in source.notes if "bulk" in note]
    assert bulk == (["4 action lines of bulk requests hold no data"] if write is write_bulk else [])


def test_lines_keep_the_number_of_their_own_file(tmp_path):
    write_jsonl(tmp_path)
    (tmp_path / "ubi_queries.jsonl").write_text(lines(QUERIES) + "\n{broken\n")
    source = load_ubi(tmp_path)
    assert [(row["line"], row["text"]) for row in source.rejected["searches"].to_pylist()] == [(4, "{broken")]
    assert source.rejected["events"].num_rows == 0


def test_a_folder_gives_its_log_files_alone(tmp_path):
    for name in ("ubi_queries.jsonl", "UBI_events.csv", "products.jsonl", "ubi_readme.md"):
        (tmp_path / name).touch()
    assert [path.name for path in find_files(tmp_path)] == ["UBI_events.csv", "ubi_queries.jsonl"]
    (tmp_path / "sub").mkdir()
    with pytest.raises(SourceError, match="must hold files such as ubi_queries"):
        find_files(tmp_path / "sub")


def test_a_csv_line_with_other_fields_is_refused(tmp_path):
    write_flat_csv(tmp_path)
    with (tmp_path / "ubi_events.csv").open("a") as file:
        file.write("click,q1,c1\n")
    with pytest.raises(SourceError, match=r"must have the header's fields.*has 3 fields"):
        load_ubi(tmp_path)


def test_a_damaged_parquet_file_is_refused(tmp_path):
    (tmp_path / "ubi_events.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(SourceError, match="whole Parquet file"):
        load_ubi(tmp_path)
