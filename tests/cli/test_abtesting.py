import pytest

from aisle.pipelines import abtesting
from aisle.workspace import Manifest, StepResult

ARM = {"shoppers": 50, "chances": 500, "taken": 20, "value": 0.04, "relative_error": 0.1}
LIFT = {"value": 0.05, "low": -0.01, "high": 0.12, "p": 0.1, "a": ARM, "b": ARM}
POWER = {"rate": 0.04, "pilot_searches": 200, "minimal_lift": 0.3, "expected_lift": 0.0558}
POWER |= {"chance": 0.06, "searches_needed": 9_000}
LIFTS = {f"{name}_lift": LIFT for name in ("purchase_rate", "conversion", "click_rate")} | {"bands": {}}
RESULT = {
    "simulated": True,
    "a": "lexical",
    "b": "hybrid",
    "config": {"searches": 2_000},
    "power": {"purchase_rate": POWER},
    "searches": 1_000,
    **LIFTS,
    "looks": [{"day": 1, "searches": 1_000, "value": 0.05, "low": -0.2, "high": 0.3, "p": 0.4}],
    "funnel": {},
    "searches_per_second": {"a": 2_000.0, "b": 800.0},
    "paired": LIFTS,
    "aa_searches": 1_000,
    "aa_runs": 200,
    "aa_rejections": 9,
}


@pytest.fixture
def called(monkeypatch):
    """Stand in for the test, which takes a model; the way in and out is what is looked at."""
    calls = []

    def ab_test(workspace, a, b, *, config, catalogue):
        calls.append((workspace.path, a, b, config, catalogue))
        return StepResult(Manifest("x", "", {}, {}, 0, {}), skipped=False)

    def estimate_power(workspace, a, *, config, catalogue):
        calls.append((workspace.path, a, None, config, catalogue))
        return {key: RESULT[key] for key in ("simulated", "a", "config", "power")}

    monkeypatch.setattr(abtesting, "ab_test", ab_test)
    monkeypatch.setattr(abtesting, "estimate_power", estimate_power)
    monkeypatch.setattr(abtesting, "read_result", lambda workspace, step: RESULT)
    return calls


def test_options_reach_the_test(aisle_json, learnt_shop, called):
    options = ("--searches", 2_000, "--split", 0.25, "--k", 30, "--seed", 2, "--aa", 200, "--paired")
    told = aisle_json("abtest", "lexical", "hybrid", "-w", learnt_shop.path, *options)
    assert told == RESULT
    config = abtesting.ABTestConfig(searches=2_000, split=0.25, k=30, seed=2, aa_runs=200, paired=True)
    assert called == [(learnt_shop.path, "lexical", "hybrid", config, None)]


def test_a_person_reads_tables_that_say_simulated(aisle, learnt_shop, called):
    shown = aisle("abtest", "lexical", "hybrid", "-w", learnt_shop.path)
    assert shown.code == 0
    assert "Simulated A/B test, 1,000 searches, split by shopper" in shown.out
    assert "the same shoppers, with the same needs, meet both" in shown.out
    assert "A/A: 9 of 200 splits of 1,000 recorded searches differ at the level of 0.05." in shown.err
    assert "Searches answered in a second: lexical 2,000, hybrid 800." in shown.err
    assert "These are all searches that the shoppers make within the days" in shown.err
    assert "Simulated shoppers" in shown.err


def test_power_alone(aisle, aisle_json, learnt_shop, called):
    shown = aisle("abtest", "lexical", "--power", "-w", learnt_shop.path)
    assert "2,000 searches find a lift of 30.0% 4 times out of 5" in shown.err
    assert shown.out == ""
    assert "aa_runs" not in aisle_json("abtest", "lexical", "--power", "-w", learnt_shop.path)


def test_one_system_alone_is_refused_in_a_line(aisle, learnt_shop):
    alone = aisle("abtest", "lexical", "-w", learnt_shop.path)
    assert alone.code == 2
    assert "One system alone can only be tested against itself" in alone.err
