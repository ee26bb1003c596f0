import json

import pytest

from aisle.core.errors import UsageError
from aisle.pipelines.debiasing import DebiasingConfig
from aisle.pipelines.evaluating import evaluate_systems


def measured(workspace, config=None, **settings):
    settings = {"systems": ["lexical"], "labels": "log", "measures": ["R@1", "R@1000"], **settings}
    return evaluate_systems(workspace, debiasing=config or DebiasingConfig(min_coverage=0.05), **settings)


def test_beside_the_rest_with_coverage(learnt_shop):
    outcome = measured(learnt_shop)
    plain = json.loads(json.dumps(outcome.as_dict(), allow_nan=False))["debiased"]
    # Each search orders what its one word names; lexical search finds it first. R@1000 is of 32 products.
    assert plain["plain"]["lexical"]["R@1"]["value"] == 1
    assert set(plain["debiased"]["lexical"]) == {"R@1", "R@32"}
    assert plain["positives"] == plain["searches"] == outcome.evaluation.headline.num_queries
    # Nothing is told of propensities, and all orders are at the first place: all count the same.
    assert plain["effective_positives"] == pytest.approx(plain["positives"])
    assert plain["propensity_told_share"] == 0
    assert 0.05 < plain["coverage@10"]["lexical"] <= 1
    assert plain["shown_by"] == {"ranked": 1.0}
    assert plain["min_coverage"] == 0.05


def test_a_system_of_which_the_log_showed_too_little_is_refused(learnt_shop):
    with pytest.raises(UsageError, match=r"at least --min-coverage.*min_coverage=1, semantic=0\.\d+.*A/B test"):
        measured(learnt_shop, DebiasingConfig(min_coverage=1), systems=["semantic"])


def test_only_a_log_is_debiased(built_shop):
    with pytest.raises(UsageError, match=r"Only a log is debiased\. Received: labels='judgments'"):
        measured(built_shop, labels="judgments")


@pytest.mark.parametrize("config", [DebiasingConfig(min_coverage=1.5), DebiasingConfig(max_weight=0.5)])
def test_bounds_are_checked(learnt_shop, config):
    with pytest.raises(UsageError, match=r"--min-coverage must lie in 0\.\.1 and --max-weight at 1 or more"):
        measured(learnt_shop, config)


def test_the_command_line(aisle, learnt_shop):
    command = ("evaluate", "-w", learnt_shop.path, "--systems", "lexical", "--debiased", "--min-coverage", 0.05)
    result = aisle(*command)
    assert result.code == 0, result.err
    assert "weights 1/propensity up to 1000" in " ".join(result.out.split())
    assert "simulated" not in result.err
