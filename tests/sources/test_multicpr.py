import gzip

import pytest

from aisle.core.errors import SourceError
from aisle.sources.multicpr import load_multicpr

FILES = {
    "corpus.tsv": "1\t尼康二代全画幅微单机身Z62\n2\t儿童书包\t小学生\n\n3\n\tohne id\n4\t红色连衣裙\n",
    "train.query.txt": "1\t尼康z62\n2\t书包\n",
    "dev.query.txt": "200000\t连衣裙\n200001 no tab\n",
    "qrels.train.tsv": "1\t0\t1\t1\n2\t0\t2\t1\n2\t0\t2\n2\t1\n9\t0\t2\t1\n",
    "qrels.dev.tsv": "200000\t0\t4\t1\n",
}


@pytest.fixture
def folder(tmp_path):
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def test_passages_are_products_and_dev_is_test(folder):
    source = load_multicpr(folder)
    assert source.tables["products"].to_pylist() == [
        {"product_id": "1", "title": "尼康二代全画幅微单机身Z62"},
        {"product_id": "2", "title": "儿童书包 小学生"},
        {"product_id": "4", "title": "红色连衣裙"},
    ]
    rows = source.tables["judgments"].to_pylist()
    assert [(row["query"], row["product_id"], row["grade"], row["split"]) for row in rows if row["query"]] == [
        ("尼康z62", "1", 1.0, "train"), ("书包", "2", 1.0, "train"), ("连衣裙", "4", 1.0, "test"),
    ]  # fmt: skip
    assert source.grades is not None


def test_a_training_query_does_not_answer_for_a_dev_one(folder):
    (folder / "qrels.dev.tsv").write_text("1\t0\t4\t1\n")
    rows = load_multicpr(folder).tables["judgments"].to_pylist()
    assert [row["query"] for row in rows if row["split"] == "test"] == [None]


def test_every_line_is_accounted_for(folder):
    source = load_multicpr(folder)
    assert {account.name: dict(account.fates) for account in source.accounts} == {
        "corpus": {"products": 3, "set aside": 2},
        "train queries": {"joined to their judgments": 2, "set aside": 0},
        "dev queries": {"joined to their judgments": 1, "set aside": 1},
        "qrels": {"judgments": 4, "set aside": 2},
    }
    assert source.rejected["products"].to_pylist() == [
        {"line": 4, "reason": "has no TAB between id and text", "text": "3"},
        {"line": 5, "reason": "has no id", "text": "\tohne id"},
    ]


def test_missing_and_cut_files_are_refused(folder):
    packed = gzip.compress((folder / "corpus.tsv").read_bytes())
    (folder / "corpus.tsv").unlink()
    with pytest.raises(SourceError, match=r"folder of Multi-CPR must hold corpus\.tsv"):
        load_multicpr(folder)
    (folder / "corpus.tsv.gz").write_bytes(packed[:-9])
    with pytest.raises(SourceError, match="must be readable and whole"):
        load_multicpr(folder)
    (folder / "corpus.tsv.gz").write_bytes(packed)
    assert load_multicpr(folder).tables["products"].num_rows == 3


def test_the_command_imports_it(aisle_json, folder, tmp_path):
    report = aisle_json("import", "-w", tmp_path / "shop", "--from", "multicpr", "--path", folder)
    assert {table: values["usable"] for table, values in report["tables"].items()} == {"products": 3, "judgments": 3}
    for table, values in report["tables"].items():
        sent = sum(account["fates"].get(table, 0) for account in report["accounts"].values())
        assert sent == values["usable"] + values["quarantined"]
