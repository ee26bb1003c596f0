import dataclasses
import shutil

import numpy as np
import pytest

from aisle.core.errors import UsageError, WorkspaceError
from aisle.pipelines.abtesting import ABTestConfig, ab_test, estimate_power, read_result
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.mining import mine
from aisle.pipelines.simulating import simulate_marketplace
from aisle.pipelines.training import train_model
from aisle.simulation import MarketplaceConfig
from aisle.workspace import Workspace

SHOP = MarketplaceConfig(products=400, searches=2_000, users=300, days=20, seed=4)
CONFIG = ABTestConfig(searches=1_000, k=40, aa_runs=30, paired=True)


@pytest.fixture(scope="module")
def market_shop(tmp_path_factory, tiny_recipe):
    workspace = Workspace.open(tmp_path_factory.mktemp("market") / "shop", create=True)
    recipe = tiny_recipe(text__enabled="false", pairs__by_search="true", history__dim=8)
    simulate_marketplace(workspace, SHOP)
    mine(workspace, recipe.mining)
    train_model(workspace, recipe)
    build_indexes(workspace, recipe)
    return workspace


@pytest.fixture(scope="module")
def made(market_shop):
    return ab_test(market_shop, "lexical", "semantic", config=CONFIG)


@pytest.fixture(scope="module")
def result(market_shop, made):
    return read_result(market_shop, made)


@pytest.fixture
def copied(market_shop, tmp_path):
    shutil.copytree(market_shop.path, tmp_path / "copy", ignore=shutil.ignore_patterns("abtest"))
    return Workspace.open(tmp_path / "copy")


def test_a_test_is_an_artefact_that_says_it_is_simulated(market_shop, made, result):
    folder = market_shop.path / "abtest" / "lexical-vs-semantic"
    assert (folder / "manifest.json").exists()
    assert (folder / "result.json").exists()
    assert set(made.manifest.inputs) == {"simulation", "a", "b"}
    assert made.manifest.inputs["a"] != made.manifest.inputs["b"]
    assert result["simulated"] is True
    assert (result["a"], result["b"]) == ("lexical", "semantic")
    assert result["config"] == dataclasses.asdict(CONFIG)


def test_it_is_skipped_when_nothing_changed(market_shop, made, monkeypatch):
    monkeypatch.setattr("aisle.pipelines.abtesting.build_marketplace", None)
    assert not made.skipped
    assert ab_test(market_shop, "lexical", "semantic", config=CONFIG).skipped


def test_lifts_bands_looks_and_speed_are_told(result):
    lifts = [result[f"{name}_lift"] for name in ("purchase_rate", "conversion", "click_rate")]
    assert all(lift["low"] < lift["value"] < lift["high"] for lift in lifts)
    assert lifts[0]["a"]["chances"] + lifts[0]["b"]["chances"] == result["searches"] > 500
    assert sum(band["adds"]["value"] for band in result["bands"].values()) == pytest.approx(lifts[0]["value"])
    assert set(result["bands"]) <= {"head", "torso", "tail", "unseen"}
    assert sum(band["a"]["chances"] for band in result["bands"].values()) == lifts[0]["a"]["chances"]
    assert result["looks"][-1]["searches"] == result["searches"]
    assert set(result["funnel"]["all"]) == {"a", "b"}
    assert min(result["searches_per_second"].values()) > 0


def test_power_and_equal_arms_are_told(result):
    assert result["power"]["purchase_rate"]["expected_lift"] == 0.0558
    assert result["power"]["conversion"]["expected_lift"] == 0.0263
    assert result["power"]["purchase_rate"]["minimal_lift"] > 0.05
    assert result["aa_runs"] == len(result["aa_p"]) == 30
    assert result["aa_rejections"] == sum(p < 0.05 for p in result["aa_p"]) <= 7


def test_the_same_shoppers_meet_both_where_that_is_asked_for(result):
    paired = result["paired"]["purchase_rate_lift"]
    assert paired["a"]["shoppers"] == paired["b"]["shoppers"]
    whole = result["purchase_rate_lift"]
    assert paired["high"] - paired["low"] < whole["high"] - whole["low"]


def test_a_system_of_another_workspace_of_the_same_shop_may_be_b(market_shop, copied, result):
    other = f"{copied.path}:semantic"
    step = ab_test(market_shop, "lexical", other, config=CONFIG)
    told = read_result(market_shop, step)
    assert told["b"] == "semantic@copy"
    for key in ("purchase_rate_lift", "looks", "paired", "funnel"):
        assert told[key] == result[key], "the copy holds the same model"
    assert step.manifest.step == "lexical-vs-semantic@copy"


def test_the_same_system_on_both_sides_has_a_paired_lift_of_exactly_zero(market_shop):
    config = dataclasses.replace(CONFIG, aa_runs=0, searches=400)
    told = read_result(market_shop, ab_test(market_shop, "lexical", "lexical", config=config))
    assert told["paired"]["purchase_rate_lift"]["value"] == 0.0
    assert told["funnel"]["all"]["a"] == told["funnel"]["all"]["b"]


def test_one_system_alone_is_tested_on_itself(market_shop):
    config = ABTestConfig(searches=400, k=40, aa_runs=10)
    told = read_result(market_shop, ab_test(market_shop, "lexical", None, config=config))
    assert told["aa_runs"] == 10
    assert "purchase_rate_lift" not in told


def test_power_alone_writes_nothing(copied):
    told = estimate_power(copied, "lexical", config=ABTestConfig(searches=1_000))
    assert told["power"]["purchase_rate"]["pilot_searches"] > 200
    assert not (copied.path / "abtest").exists()
    more = estimate_power(copied, "lexical", config=ABTestConfig(searches=1_000, split=0.1))
    assert more["power"]["purchase_rate"]["minimal_lift"] > told["power"]["purchase_rate"]["minimal_lift"]


def test_a_system_of_another_shop_is_refused(market_shop, tmp_path):
    other = Workspace.open(tmp_path / "other", create=True)
    simulate_marketplace(other, dataclasses.replace(SHOP, searches=200, seed=5))
    with pytest.raises(WorkspaceError, match="of the same simulated shop"):
        ab_test(market_shop, "lexical", f"{other.path}:lexical", config=CONFIG)


def test_a_log_of_ones_own_has_no_shoppers_to_try_on(learnt_shop):
    with pytest.raises(WorkspaceError, match=r"needs shoppers.*aisle simulate"):
        ab_test(learnt_shop, "lexical", "semantic", config=CONFIG)


@pytest.mark.parametrize(
    ("names", "changed", "message"),
    [
        (("lexical", "bm25"), {}, "A system must be lexical, semantic, hybrid or PATH:system.*bm25"),
        (("lexical", "hybrid"), {"split": 1.0}, r"split between 0 and 1.*split=1\.0"),
        (("lexical", "hybrid"), {"searches": 10, "seed": -1}, "searches=10, seed=-1"),
        (("lexical", None), {"aa_runs": 0}, "tested against itself"),
        (("lexical", None), {"paired": True}, "tested against itself"),
    ],
)
def test_what_cannot_be_tested_is_refused(market_shop, names, changed, message):
    config = dataclasses.replace(ABTestConfig(searches=1_000, aa_runs=10), **changed)
    with pytest.raises(UsageError, match=message):
        ab_test(market_shop, *names, config=config)


def test_a_catalogue_must_be_the_simulated_one(market_shop, tmp_path):
    own = tmp_path / "own.parquet"
    own.write_bytes(b"")
    with pytest.raises(UsageError, match="the one that the marketplace was simulated with"):
        estimate_power(market_shop, "lexical", config=CONFIG, catalogue=own)


def test_seeds_are_other_shoppers_days(market_shop, result):
    other = dataclasses.replace(CONFIG, seed=1, aa_runs=0, paired=False)
    told = read_result(market_shop, ab_test(market_shop, "lexical", "semantic", config=other))
    assert not np.isclose(told["purchase_rate_lift"]["a"]["chances"], result["purchase_rate_lift"]["a"]["chances"])
