import gzip

import pytest

from aisle.core.errors import SourceError
from aisle.sources.amazon import load_amazon

QUERIES = "photo digital camera lenses\n\ncell phones cases\n"
TEST = (
    "A1X_0 0 B001 1\nA2_Y_0 0 B001 1\nA2_Y_2 0 B002 0\nA2_Y_1 0 B002 1\nA2_Y_7 0 B002 1\nA2 0 B002 1\nA2_0 0 B001\nx\n"
)
TRAIN = "A3_2 0 B002 1\n"
META = "{'asin': 'B001', 'title': \"A lens, 50'\", 'categories': [['Camera', 'Lenses'], ['Photo']], 'price': 9.5}\n" \
       '{"asin": "B002", "title": "Case"}\n'  # fmt: skip


def packed(path, text):
    path.write_bytes(gzip.compress(text.encode()))


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "reviews_Electronics_5.json.gz"
    folder.mkdir()
    packed(folder / "query_text.txt.gz", QUERIES)
    packed(folder / "test.qrels.gz", TEST)
    packed(folder / "train.qrels.gz", TRAIN)
    packed(folder / "meta_Electronics.json.gz", META)
    return folder


def test_purchases_become_judgments_by_query(folder):
    rows = load_amazon(folder).tables["judgments"].to_pylist()
    assert [tuple(row.values()) for row in rows] == [
        ("photo digital camera lenses", "B001", 1.0, "test", 2),
        ("cell phones cases", "B002", 0.0, "test", 1),
        ("cell phones cases", "B002", 1.0, "train", 1),
    ]


def test_the_catalogue_is_read_where_it_is_there(folder):
    first, second = load_amazon(folder).tables["products"].to_pylist()
    assert (first["title"], first["category"], first["price"]) == ("A lens, 50'", ["Camera", "Lenses"], "9.5")
    assert second["product_id"] == "B002"
    (folder / "meta_Electronics.json.gz").rename(folder / "other.json.gz")
    assert "products" not in load_amazon(folder).tables


def test_every_row_is_accounted_for(folder):
    source = load_amazon(folder)
    assert {account.name: dict(account.fates) for account in source.accounts} == {
        "qrels": {"judgments": 3, "of another user": 1, "set aside": 5},
        "products": {"products": 2, "set aside": 0},
    }
    assert [(row["line"], row["reason"]) for row in source.rejected["judgments"].to_pylist()] == [
        (4, "names a line that holds no query"),
        (5, "names a line that holds no query"),
        (6, "names no user and line of a query"),
        (7, "has not four fields"),
        (8, "has not four fields"),
    ]


def test_missing_doubled_and_cut_files_are_refused(folder):
    packed(folder / "meta_Books.json.gz", META)
    with pytest.raises(SourceError, match=r"one file meta_….json\.gz at most"):
        load_amazon(folder)
    (folder / "meta_Books.json.gz").unlink()
    whole = (folder / "test.qrels.gz").read_bytes()
    (folder / "test.qrels.gz").write_bytes(whole[:-9])
    with pytest.raises(SourceError, match="must be readable and whole"):
        load_amazon(folder)
    (folder / "test.qrels.gz").unlink()
    with pytest.raises(SourceError, match=r"missing=\['test.qrels'\]"):
        load_amazon(folder)


def test_the_command_imports_it(aisle_json, folder, tmp_path):
    (folder / "train.qrels.gz").unlink()
    report = aisle_json("import", "-w", tmp_path / "shop", "--from", "amazon", "--path", folder)
    assert {table: values["usable"] for table, values in report["tables"].items()} == {"products": 2, "judgments": 2}
    for table, values in report["tables"].items():
        sent = sum(account["fates"].get(table, 0) for account in report["accounts"].values())
        assert sent == values["usable"] + values["quarantined"]
