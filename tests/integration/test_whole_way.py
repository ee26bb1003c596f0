"""From files to search as a stranger goes: every command in a process of its own, results read from stdout alone."""

import json
import subprocess
import sys

import ir_measures
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest


@pytest.fixture
def run(tmp_path):
    """Run `aisle … --json` in a folder of its own."""

    def aisle(*arguments):
        command = [sys.executable, "-c", "from aisle.cli import main; main()", *map(str, arguments), "--json"]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        assert "Traceback" not in ran.stderr
        return json.loads(ran.stdout)

    return aisle


@pytest.mark.slow
def test_own_files_from_import_to_search(run, simulated, tiny, set_options, tmp_path):
    renamed = simulated.products.rename_columns({"title": "name", "product_id": "sku"})
    cents = pc.multiply(renamed.column("price"), 100)
    renamed = renamed.set_column(renamed.column_names.index("price"), "cents", cents)
    pq.write_table(renamed, tmp_path / "products.parquet")
    rows = simulated.judgments.drop_columns("kind").to_pylist()
    (tmp_path / "judged.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    report = run(
        "import", "--workspace", "shop", "--products", "products.parquet", "--judgments", "judged.jsonl",
        "--map", "product_id=sku,title=name,price=cents/100", "--map", "judgments.product_id=product_id",
        "--grades", "ordered=3,clicked=2",
    )  # fmt: skip
    assert {name: table["usable"] for name, table in report["tables"].items()} == {
        "products": 300,
        "judgments": len(rows),
    }
    trained = run("train", "--workspace", "shop", *set_options(tiny()))
    assert trained["steps"] > 0
    assert run("index", "--workspace", "shop")["hybrid"]["weight_from"] == "30 validation queries"
    values = run("evaluate", "--workspace", "shop", "--min-grade", 3, "--run", "out.trec")
    measures = [ir_measures.nDCG @ 10, ir_measures.R(rel=3) @ 100]
    found = ir_measures.calc_aggregate(
        measures,
        list(ir_measures.read_trec_qrels(str(tmp_path / "out.qrels"))),
        list(ir_measures.read_trec_run(str(tmp_path / "out.trec"))),
    )
    for measure, name in zip(measures, ("nDCG@10", "R@100"), strict=True):
        assert found[measure] == pytest.approx(values["systems"]["hybrid"][name]["value"], abs=1e-6)
    answer = run("search", rows[0]["query"], "--workspace", "shop", "--k", 5)
    assert len(answer["hits"]) == 5
    prices = dict(zip(*simulated.products.select(["product_id", "price"]).to_pydict().values(), strict=True))
    for hit in answer["hits"]:
        assert hit["price"] == pytest.approx(prices[hit["product_id"]])


@pytest.mark.slow
def test_a_mistake_exits_with_its_code_and_without_a_traceback(tmp_path):
    command = [sys.executable, "-c", "from aisle.cli import main; main()"]
    for arguments, code in (["search", "x"], 1), (["import"], 2), (["--version"], 0):
        ran = subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == code
        assert "Traceback" not in ran.stderr
    assert list(tmp_path.iterdir()) == []
