import json
import shutil

import numpy as np
import pytest

from aisle.core.errors import SourceError, UsageError
from aisle.pipelines.comparing import compare_systems
from aisle.pipelines.evaluating import evaluate_systems
from aisle.pipelines.questions import Asked
from aisle.workspace import Workspace

RELEVANT = Asked(min_grade=3)


@pytest.fixture(scope="session")
def runs(built_shop, tmp_path_factory):
    """Runs of lexical and semantic search over the small shop, as `aisle evaluate --run` writes them."""
    folder = tmp_path_factory.mktemp("runs")
    evaluate_systems(built_shop, systems=["lexical", "semantic"], min_grade=3, run=folder / "out.trec")
    return folder


def test_systems_of_one_workspace(built_shop):
    outcome = compare_systems(built_shop, "lexical", "semantic", asked=RELEVANT, measures=["R@10", "nDCG@10"])
    plain = outcome.as_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    found = evaluate_systems(built_shop, systems=["lexical", "semantic"], min_grade=3)
    paired = found.evaluation.headline.paired["semantic - lexical"]
    whole = outcome.comparison.rows["all"]
    for measure in ("R@10", "nDCG@10"):
        assert (whole[measure].difference, whole[measure].p) == (paired[measure].difference, paired[measure].p)
        assert whole[measure].corrected_p >= whole[measure].p
    assert set(plain["slices"]) == {"all", "exact", "paraphrase", "attribute"}
    assert plain["tests"] == 8
    assert sum(outcome.num_better.values()) == found.evaluation.headline.num_queries


def test_wins_and_losses_are_told_with_titles(built_shop, simulated):
    outcome = compare_systems(built_shop, "lexical", "semantic", asked=RELEVANT, measures=["MRR"], num_changes=2)
    titles = dict(zip(*(simulated.products.column(name).to_pylist() for name in ("product_id", "title")), strict=True))
    assert len(outcome.losses) == 2
    for change in (*outcome.wins, *outcome.losses):
        assert change.slice in {"exact", "paraphrase", "attribute"}
        assert all(titles[told["product_id"]] == told["title"] for told in (change.product, *change.instead))
    assert [abs(change.difference) for change in outcome.losses] == sorted(
        (abs(change.difference) for change in outcome.losses), reverse=True
    )
    lost = outcome.losses[0]
    assert lost.first_place is not None
    assert lost.second_place is None or lost.second_place > lost.first_place


def test_a_run_is_the_system_that_wrote_it(built_shop, runs):
    files = [str(runs / name) for name in ("out.lexical.trec", "out.trec")]
    found = compare_systems(built_shop, *files, asked=RELEVANT)
    live = compare_systems(built_shop, "lexical", "semantic", asked=RELEVANT)
    assert found.notes == []
    assert found.comparison.rows == live.comparison.rows


def test_a_foreign_run_is_read_by_ids_alone_and_short_ones_miss(built_shop, runs, tmp_path):
    lines = (runs / "out.trec").read_text().splitlines(keepends=True)
    (tmp_path / "short.trec").write_text("".join(line for line in lines if line.startswith("q1 ")))
    outcome = compare_systems(built_shop, "semantic", str(tmp_path / "short.trec"), asked=RELEVANT)
    assert "does not tell what data it was made on" in outcome.notes[0]
    assert "no result for 29 of 30 queries: they count as missed" in outcome.notes[1]
    assert outcome.num_better["better"] == 0
    (tmp_path / "wrong.trec").write_text("q99 Q0 x 1 1 t\n")
    with pytest.raises(SourceError, match="Every query id of the file must be known"):
        compare_systems(built_shop, "semantic", str(tmp_path / "wrong.trec"), asked=RELEVANT)


def test_runs_and_workspaces_of_other_data_are_refused(built_shop, runs, shop, import_shop, simulated):
    with pytest.raises(UsageError, match=r"must be evaluated on the same data.*differing=\['queries'\]"):
        compare_systems(built_shop, "lexical", str(runs / "out.trec"), asked=Asked(split="validation"))
    same = compare_systems(built_shop, "lexical", f"{shop.path}:semantic", asked=RELEVANT)
    live = compare_systems(built_shop, "lexical", "semantic", asked=RELEVANT)
    assert same.comparison.rows == live.comparison.rows
    import_shop(shop.path, products=simulated.products.slice(5), judgments=None)
    with pytest.raises(UsageError, match=r"same data.*differing=\['products', 'queries'\]"):
        compare_systems(built_shop, "lexical", str(shop.path), asked=RELEVANT)


def test_runs_of_a_log_go_by_its_searches(learnt_shop, tmp_path):
    from aisle.pipelines.questions import read_questions

    questions = read_questions(learnt_shop, Asked(labels="log"))
    names = list(questions.names)
    assert names[0].startswith("q2")
    own = [int(number) for number in questions.wanted.product_index]
    lines = [f"{name} Q0 p{product} 1 1.0 t\n" for name, product in zip(names, own, strict=True)]
    (tmp_path / "best.trec").write_text("".join(lines))
    asked = Asked(labels="log", slices=["band", "words"])
    outcome = compare_systems(learnt_shop, "lexical", str(tmp_path / "best.trec"), asked=asked, measures=["MRR"])
    assert outcome.comparison.rows["all"]["MRR"].second == 1
    assert outcome.comparison.num_queries["1 word"] == len(names)
    assert outcome.comparison.num_queries["4 words and more"] == 0
    evaluate_systems(learnt_shop, systems=["lexical"], labels="log", run=tmp_path / "log.trec")
    again = compare_systems(learnt_shop, "lexical", str(tmp_path / "log.trec"), asked=Asked(labels="log"))
    assert again.notes == []
    assert again.num_better == {"better": 0, "worse": 0, "alike": len(names)}
    assert np.isnan(outcome.comparison.rows["4 words and more"]["MRR"].second)


@pytest.mark.parametrize(
    ("second", "message"),
    [
        ("lexical", "Two different systems must be compared"),
        ("bm25", r"must be one of lexical, semantic, hybrid, a file with a run, or FOLDER:SYSTEM"),
        ("none.trec", "a file with a run"),
    ],
)
def test_unknown_systems_are_refused(built_shop, second, message):
    with pytest.raises(UsageError, match=message):
        compare_systems(built_shop, "lexical", second, asked=RELEVANT)


def test_a_shop_without_an_index_is_told_so(built_shop, tmp_path):
    shutil.copytree(built_shop.path, tmp_path / "shop", ignore=shutil.ignore_patterns("index"))
    from aisle.core.errors import WorkspaceError

    with pytest.raises(WorkspaceError, match="aisle index"):
        compare_systems(Workspace.open(tmp_path / "shop"), "lexical", "semantic", asked=RELEVANT)
