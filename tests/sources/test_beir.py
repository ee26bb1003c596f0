import gzip
import json

import pytest

from aisle.core.errors import SourceError
from aisle.core.ids import IdMap
from aisle.sources.beir import load_beir
from aisle.tables import JUDGMENTS, PRODUCTS, validate

CORPUS = [
    {"_id": "d1", "title": "Red lamp", "text": "It glows.", "metadata": {}},
    {"_id": "d2", "title": "", "text": "Untitled text", "metadata": {}},
]
QUERIES = [{"_id": "q1", "text": "lamp\twith tab"}, {"_id": "q2", "text": "sofa"}]


def lines(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "corpus.jsonl").write_text(lines(CORPUS) + "broken\n")
    (tmp_path / "queries.jsonl").write_text(lines(QUERIES))
    (tmp_path / "qrels").mkdir()
    header = "query-id\tcorpus-id\tscore\n"
    (tmp_path / "qrels" / "train.tsv").write_text(header + "q1\td1\t1\nq1\td2\t0\n")
    (tmp_path / "qrels" / "dev.tsv").write_text(header + "q2\td2\t2\n")
    (tmp_path / "qrels" / "test.tsv").write_text(header + "q2\td1\t1\nq2\td1\nq2\td2\tgood\nq9\td1\t1\n")
    return tmp_path


def judged(source):
    rows = source.tables["judgments"].to_pylist()
    return [(row["query"], row["product_id"], row["grade"], row["split"]) for row in rows]


def test_a_folder_becomes_products_and_judgments_by_split(folder):
    source = load_beir(folder)
    products = validate(source.tables["products"], PRODUCTS)
    assert products.table.to_pylist() == [
        {"product_id": "d1", "title": "Red lamp", "description": "It glows."},
        {"product_id": "d2", "title": "Untitled text", "description": None},
    ]
    assert judged(source) == [
        ("lamp\twith tab", "d1", 1.0, "train"), ("lamp\twith tab", "d2", 0.0, "train"),
        ("sofa", "d2", 2.0, "validation"), ("sofa", "d1", 1.0, "test"), (None, "d1", 1.0, "test"),
    ]  # fmt: skip
    judgments = validate(source.tables["judgments"], JUDGMENTS, known_products=IdMap(products.table["product_id"]))
    assert judgments.quarantine["query_id"].to_pylist() == ["q9"]
    assert source.grades.stage_of(judgments.table["grade"].to_numpy()).tolist() == [4, 0, 4, 4]


def test_every_line_is_accounted_for(folder):
    source = load_beir(folder)
    assert {account.name: dict(account.fates) for account in source.accounts} == {
        "corpus": {"products": 2, "set aside": 1},
        "queries": {"joined to their judgments": 2, "set aside": 0},
        "qrels": {"judgments": 5, "set aside": 2},
    }
    assert source.rejected["judgments"].to_pylist() == [
        {"line": 3, "reason": "has not three or four fields", "text": "q2\td1"},
        {"line": 4, "reason": "has no number at its end", "text": "q2\td2\tgood"},
    ]


def test_trec_files_have_four_columns_and_no_header(folder):
    for name in ("train", "dev", "test"):
        (folder / "qrels" / f"{name}.tsv").unlink()
    (folder / "queries.jsonl").unlink()
    (folder / "queries.tsv").write_text("q1\tlamp\nq2\tsofa\n")
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress((folder / "corpus.jsonl").read_bytes()))
    (folder / "corpus.jsonl").unlink()
    (folder / "qrels.txt").write_text("q1 0 d1 3\nq2 0 d2 0\nq2 0 d2 0 1\n")
    source = load_beir(folder)
    assert judged(source) == [("lamp", "d1", 3.0, "test"), ("sofa", "d2", 0.0, "test")]
    assert source.rejected["judgments"]["reason"].to_pylist() == ["has not three or four fields"]


def test_a_folder_without_the_files_is_refused(folder):
    (folder / "queries.jsonl").unlink()
    with pytest.raises(SourceError, match=r"must hold queries\.jsonl or queries\.tsv"):
        load_beir(folder)


def test_the_command_imports_it(aisle_json, folder, tmp_path):
    report = aisle_json("import", "-w", tmp_path / "shop", "--from", "beir", "--path", folder)
    assert {table: values["usable"] for table, values in report["tables"].items()} == {"products": 2, "judgments": 4}
    for account in report["accounts"].values():
        assert sum(account["fates"].values()) == account["rows"]
    for table, values in report["tables"].items():
        sent = sum(account["fates"].get(table, 0) for account in report["accounts"].values())
        assert sent in (0, values["usable"] + values["quarantined"])
