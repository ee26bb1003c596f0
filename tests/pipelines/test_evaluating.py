import json
from pathlib import Path

import ir_measures
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from aisle.core.errors import UsageError
from aisle.pipelines.evaluating import evaluate_systems

MEASURES = {"R@10", "R@100", "nDCG@10", "MRR"}


@pytest.fixture(scope="session")
def outcome(built_shop, tmp_path_factory):
    return evaluate_systems(built_shop, min_grade=3, run=tmp_path_factory.mktemp("run") / "out.trec")


def test_json_has_every_system_and_measure(outcome):
    values = json.loads(json.dumps(outcome.as_dict(), allow_nan=False))
    assert values["queries"] == 30
    assert list(values["systems"]) == ["lexical", "semantic", "hybrid"]
    for measures in values["systems"].values():
        assert set(measures) == MEASURES
        for estimate in measures.values():
            assert set(estimate) == {"value", "low", "high"}
            assert 0 <= estimate["low"] <= estimate["value"] <= estimate["high"] <= 1
    assert set(values["by"]) == {"exact", "paraphrase", "attribute"}
    assert sum(part["queries"] for part in values["by"].values()) == 30
    assert values["judged_products_not_in_catalogue"] == 0
    assert values["hybrid"]["weight_from"] == "30 validation queries"


def test_kinds_are_those_of_the_queries(built_shop, outcome, simulated):
    rows = simulated.judgments.filter(pc.equal(simulated.judgments.column("split"), "test"))
    for kind in ("exact", "paraphrase", "attribute"):
        of_kind = rows.filter(pc.equal(rows.column("kind"), kind))
        relevant = of_kind.filter(pc.greater_equal(of_kind.column("grade"), 3))
        assert outcome.as_dict()["by"][kind]["queries"] == len(pc.unique(relevant.column("query")))


@pytest.mark.parametrize("name", ["lexical", "semantic", "hybrid"])
def test_ir_measures_reads_the_run_and_finds_the_same(outcome, name):
    run, *_ = (path for path in outcome.files if path.endswith(".trec") and (name in path or name == "hybrid"))
    qrels = next(path for path in outcome.files if path.endswith(".qrels"))
    wanted = [ir_measures.nDCG @ 10, ir_measures.R(rel=3) @ 100, ir_measures.R(rel=3) @ 10, ir_measures.RR(rel=3)]
    if name == "hybrid":
        run = next(path for path in outcome.files if path.endswith("/out.trec"))
    found = ir_measures.calc_aggregate(
        wanted, list(ir_measures.read_trec_qrels(qrels)), list(ir_measures.read_trec_run(run))
    )
    mine = outcome.as_dict()["systems"][name]
    for measure, value in zip(("nDCG@10", "R@100", "R@10", "MRR"), (found[one] for one in wanted), strict=True):
        assert value == pytest.approx(mine[measure]["value"], abs=1e-6), measure


def test_files_hold_every_query(outcome):
    names = sorted(path.rpartition("/")[2] for path in outcome.files)
    runs = [f"out.{name}{end}" for name in ("lexical.", "semantic.", "") for end in ("data.json", "trec")]
    assert names == sorted(["out.qrels", "out.queries.tsv", *runs])
    queries = next(path for path in outcome.files if path.endswith(".tsv"))
    assert len(Path(queries).read_text(encoding="utf-8").splitlines()) == 30


def test_one_system_and_another_split(built_shop):
    values = evaluate_systems(built_shop, split="validation", systems=["semantic"]).as_dict()
    assert list(values["systems"]) == ["semantic"]
    assert values["files"] == []
    again = evaluate_systems(built_shop, split="validation", systems=["semantic"]).as_dict()
    assert again["systems"] == values["systems"]


@pytest.mark.parametrize(
    ("split", "text"), [("train", r"holds=\['validation', 'test'\].*--judgments"), ("dev", "must be one of train, val")]
)
def test_a_split_without_judgments_is_refused(built_shop, split, text):
    with pytest.raises(UsageError, match=text):
        evaluate_systems(built_shop, split=split)


@pytest.mark.parametrize(("grade", "text"), [(9, "highest_grade=3.0.*Lower --min-grade"), (0, "min_grade")])
def test_a_grade_that_nothing_reaches_is_refused(built_shop, grade, text):
    with pytest.raises(UsageError, match=text):
        evaluate_systems(built_shop, min_grade=grade)


def test_judged_products_that_have_left_count_as_missed(shop, import_shop, simulated, tiny_recipe):
    from aisle.pipelines.indexing import build_indexes

    before = evaluate_systems(shop, systems=["lexical"], min_grade=3).as_dict()
    import_shop(shop.path, products=simulated.products.slice(150), judgments=None)
    build_indexes(shop, tiny_recipe())
    after = evaluate_systems(shop, systems=["lexical"], min_grade=3).as_dict()
    assert after["judged_products_not_in_catalogue"] > 0
    assert after["queries"] == before["queries"]
    assert after["systems"]["lexical"]["R@100"]["value"] < before["systems"]["lexical"]["R@100"]["value"]


@pytest.mark.parametrize("kind", [{"kind": "x"}, 3, None])
def test_a_column_named_kind_that_is_no_label_is_left_alone(shop, import_shop, simulated, kind):
    rows = simulated.judgments.num_rows
    judgments = simulated.judgments.drop_columns("kind").append_column("kind", pa.array([kind] * rows))
    import_shop(shop.path, products=None, judgments=judgments)
    assert evaluate_systems(shop, systems=["lexical"]).as_dict()["by"] == {}


def test_queries_without_a_kind_are_other(shop, import_shop, simulated):
    kinds = simulated.judgments.column("kind").to_pylist()
    kinds = pa.array([None if kind == "exact" else kind for kind in kinds])
    import_shop(
        shop.path, products=None, judgments=simulated.judgments.drop_columns("kind").append_column("kind", kinds)
    )
    assert set(evaluate_systems(shop, systems=["lexical"]).as_dict()["by"]) == {"other", "paraphrase", "attribute"}


def test_values_per_query_are_those_of_the_table(outcome):
    values = outcome.evaluation.values["hybrid"]["R@100"]
    assert np.nanmean(values) == pytest.approx(outcome.as_dict()["systems"]["hybrid"]["R@100"]["value"])
