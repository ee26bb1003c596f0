import pyarrow as pa
import pytest

from aisle.evaluation import retrieve_all
from aisle.pipelines.evaluating import evaluate_systems
from aisle.pipelines.importing import import_tables
from aisle.pipelines.relevance import RELEVANCE_MEASURE, measure_relevance
from aisle.pipelines.searching import load_retrievers
from aisle.sources import SourceTables
from aisle.workspace import Workspace


@pytest.fixture
def judged_log(learnt_shop, tmp_path):
    """The small shop with a log, and two judged queries beside it."""
    import shutil

    shutil.copytree(learnt_shop.path, tmp_path / "shop")
    workspace = Workspace.open(tmp_path / "shop")
    judgments = pa.table(
        {"query": ["word1", "word2", "word2"], "product_id": ["p1", "p2", "p3"], "grade": [3.0, 2.0, 1.0]}
    )
    import_tables(workspace, SourceTables({"judgments": judgments}, {}, {}))
    return workspace


def test_relevance_of_the_same_systems_on_queries_of_its_own(judged_log):
    outcome = evaluate_systems(judged_log, systems=["lexical", "semantic"], labels="log").as_dict()
    beside = outcome["relevance"]
    assert (beside["measure"], beside["queries"], beside["graded_by"]) == (RELEVANCE_MEASURE, 2, "judgments of test")
    assert outcome["queries"] != 2
    assert list(beside["systems"]) == ["lexical", "semantic"]
    # Words are titles here: the first word is found first, of the second query one of two products.
    judged = evaluate_systems(judged_log, systems=["lexical"], labels="judgments").as_dict()
    assert beside["systems"]["lexical"] == {RELEVANCE_MEASURE: judged["systems"]["lexical"]["nDCG@10"]}
    assert judged["relevance"] is None


def test_a_log_without_judgments_has_none(learnt_shop, judged_log):
    retrievers = load_retrievers(learnt_shop, ["lexical"])
    assert measure_relevance(learnt_shop, retrievers, split="test", seed=0) is None
    assert measure_relevance(judged_log, retrievers, split="validation", seed=0) is None
    assert retrieve_all(retrievers["lexical"], ["word1"], k=1).product_index.tolist() == [[1]]


def test_it_stands_in_the_table(aisle, judged_log):
    result = aisle("evaluate", "-w", judged_log.path, "--systems", "lexical", "--slices", "band")
    assert result.code == 0
    assert "2 judged" in result.out
    assert "nDCG@10 beside them is of judgments of test" in result.err
