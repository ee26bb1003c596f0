import shutil

import numpy as np
import pyarrow as pa
import pytest

from aisle.core.ranking import Ranking
from aisle.evaluation import retrieve_all
from aisle.pipelines import relevance
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.evaluating import evaluate_systems
from aisle.pipelines.importing import import_tables
from aisle.pipelines.mining import mine
from aisle.pipelines.recipe import load_recipe
from aisle.pipelines.relevance import RELEVANCE_MEASURE, measure_relevance
from aisle.pipelines.searching import load_retrievers
from aisle.pipelines.simulating import simulate_marketplace
from aisle.retrieval import LexicalRetriever
from aisle.simulation import MarketplaceConfig
from aisle.sources import SourceTables
from aisle.workspace import Workspace


@pytest.fixture
def judged_log(learnt_shop, tmp_path):
    """The small shop with a log, and two judged queries beside it."""
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


class Shelf:
    """Shows the same products to everybody: what sells, perhaps, but not what was asked for."""

    name = "shelf"

    def retrieve(self, queries, *, k):
        product = np.broadcast_to(np.arange(k), (len(queries), k)).copy()
        return Ranking(product, np.broadcast_to(-np.arange(k, dtype=np.float32), (len(queries), k)).copy())


@pytest.fixture(scope="module")
def market(tmp_path_factory):
    """A small simulated marketplace, mined."""
    workspace = Workspace.open(tmp_path_factory.mktemp("market") / "shop", create=True)
    simulate_marketplace(workspace, MarketplaceConfig(products=1200, searches=3000, users=300, days=30, seed=4))
    mine(workspace, load_recipe(None, []).mining)
    return workspace


@pytest.fixture(scope="module")
def market_systems(market):
    return {"lexical": LexicalRetriever.build(read_products(market)), "shelf": Shelf()}


def test_where_nobody_judged_a_marketplaces_needs_grade(market, market_systems):
    found = measure_relevance(market, market_systems, split="test", seed=0)
    told = found.as_dict()
    assert told["graded_by"].startswith("the simulated shoppers' needs")
    values = {name: one[RELEVANCE_MEASURE].value for name, one in found.summary.systems.items()}
    assert 0.3 < values["lexical"] < 1
    assert values["shelf"] < 0.1
    assert measure_relevance(market, market_systems, split="validation", seed=0) is None


def test_only_what_was_on_sale_can_be_missed(market, monkeypatch):
    # Every product is as good as any other: then any ten that were on sale are perfect.

    def graded(truth, needs):
        num_needs, num_products = len(needs), len(truth)
        row = np.repeat(np.arange(num_needs), num_products)
        return row, np.tile(np.arange(num_products), num_needs), np.ones(len(row))

    monkeypatch.setattr(relevance, "grade_by_needs", graded)
    found = measure_relevance(market, {"shelf": Shelf()}, split="test", seed=0)
    assert found.summary.systems["shelf"][RELEVANCE_MEASURE].value == pytest.approx(1.0)


def test_judgments_are_taken_before_needs(market, market_systems, tmp_path):
    shutil.copytree(market.path, tmp_path / "shop")
    workspace = Workspace.open(tmp_path / "shop")
    judgments = pa.table({"query": ["lamp"], "product_id": ["p000001"], "grade": [1.0]})
    import_tables(workspace, SourceTables({"judgments": judgments}, {}, {}))
    found = measure_relevance(workspace, market_systems, split="test", seed=0)
    assert found.graded_by == "judgments of test"


def test_without_the_simulation_nobody_knows_the_needs(market, market_systems, tmp_path):
    shutil.copytree(market.path, tmp_path / "shop", ignore=shutil.ignore_patterns("simulation"))
    workspace = Workspace.open(tmp_path / "shop")
    assert measure_relevance(workspace, market_systems, split="test", seed=0) is None
