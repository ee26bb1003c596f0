"""The whole way from a search log to figures on truth."""

import pytest

from aisle.pipelines.featurising import featurise
from aisle.pipelines.recipe import load_recipe
from aisle.workspace import Workspace


@pytest.mark.slow
def test_a_log_is_mined_trained_on_and_measured(aisle_json, aisle, tiny, set_options, tmp_path):
    shop = tmp_path / "market"
    simulated = aisle_json("simulate", "-w", shop, "--products", 400, "--searches", 3_000, "--days", 20)
    assert 50_000 < simulated["impressions"] <= 72_000
    mined = aisle_json("mine", "-w", shop)
    settings = set_options(tiny(text__enabled="false"))
    trained = aisle_json("train", "-w", shop, *settings)
    positives = sum(mined["splits"]["train"][stage] for stage in ("clicked", "favorited", "carted", "ordered"))
    # Slice 0 only feeds, and assisted positives come on top.
    assert 0.5 * positives < trained["logged_pairs"] < positives + mined["splits"]["train"]["assisted"]
    assert trained["validation_from"] == "clicks of the validation window"
    aisle_json("index", "-w", shop, *settings)

    logged = aisle_json("evaluate", "-w", shop)
    assert (logged["labels"], logged["labelled"]) == ("log", "orders")
    assert 0.8 < logged["exposures"]["ranked"]["impression_share"] < 0.95
    truth = aisle_json("evaluate", "-w", shop, "--labels", "truth", "--max-searches", 50)
    assert truth["queries"] <= 50 < truth["queries"] + 10
    assert {"unseen", "signed in", "anonymous"} <= set(truth["by"])
    assert 0 < truth["systems"]["lexical"]["R@100"]["value"] <= 1
    shown = aisle("evaluate", "-w", shop, "--labels", "truth", "--max-searches", 50)
    assert "searches with true products" in shown.out
    assert "these figures are simulated" in shown.err

    # A shop that wants its catalogue alone can have it, and a wish for a log that is not there is refused.
    recipe = load_recipe(None, [*tiny(text__enabled="false"), "pairs.source=catalogue"])
    assert "logged_pairs" not in featurise(Workspace.open(shop), recipe).manifest.summary
