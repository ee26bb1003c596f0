import json
from xml.etree import ElementTree

import numpy as np
import pytest

from aisle.core.errors import UsageError
from aisle.core.ranking import QueryBatch
from aisle.index import IndexConfig
from aisle.pipelines.boosting import BoostConfig, boost_workspace, stored_boost
from aisle.pipelines.searching import load_retrievers
from aisle.pipelines.tuning import TuneConfig, tune_workspace


def first_scores(workspace):
    (semantic,) = load_retrievers(workspace, ["semantic"]).values()
    return semantic.retrieve(QueryBatch(["word3"]), k=5).score


def test_the_chosen_settings_are_those_of_the_index(own_learnt_shop):
    config = TuneConfig(ann_recall=0.9, trials=2, max_queries=20)
    result = tune_workspace(own_learnt_shop, config)
    summary, chosen = result.manifest.summary, result.manifest.summary["chosen"]
    assert chosen["ann_recall"] >= 0.9
    assert chosen in summary["front"]
    assert summary["exact_queries_s"] > 0
    built = own_learnt_shop.manifest("index")
    section = IndexConfig.section(chosen["kind"])
    assert (built.config["index"]["kind"], built.summary["index"]["kind"]) == (chosen["kind"], chosen["kind"])
    assert {**built.config["index"][section], **chosen["settings"]} == built.config["index"][section]
    assert built.summary["index"]["parameters"] == chosen["settings"]
    assert summary["settings"][1].startswith(f"index.{section}.")
    told = json.loads((own_learnt_shop.folder("tuning") / "tuning.json").read_text())
    assert len(told["points"]) == summary["tried"] >= 8
    page = (own_learnt_shop.folder("tuning") / "pareto.html").read_text()
    ElementTree.fromstring(page[page.index("<svg") : page.index("</svg>") + 6])
    assert "Pareto front" in page
    assert "(chosen)" in page
    assert "<polyline" not in page
    assert tune_workspace(own_learnt_shop, config).skipped


def test_a_boost_is_measured_with_and_goes_into_the_new_index(own_learnt_shop, planted_boost):
    planted_boost()
    boost_workspace(own_learnt_shop, BoostConfig())
    boost, before = stored_boost(own_learnt_shop), first_scores(own_learnt_shop)
    result = tune_workspace(own_learnt_shop, TuneConfig(ann_recall=0.5, trials=1, max_queries=5))
    assert result.manifest.summary["boosted"]
    assert np.array_equal(stored_boost(own_learnt_shop), boost)
    assert first_scores(own_learnt_shop) == pytest.approx(before, abs=0.02)


def test_judged_queries_are_measured_where_there_is_no_log(shop):
    summary = tune_workspace(shop, TuneConfig(ann_recall=0.5, trials=1)).manifest.summary
    assert (summary["queries"], summary["products"], summary["boosted"]) == (30, 300, False)


def test_a_recall_that_nothing_keeps_leaves_the_index_as_it_was(own_learnt_shop, monkeypatch):
    before = own_learnt_shop.manifest("index").content
    monkeypatch.setattr("aisle.index.tuning.ann_recall", lambda *_, **__: 0.5)
    with pytest.raises(UsageError, match="must keep the recall"):
        tune_workspace(own_learnt_shop, TuneConfig(trials=1, max_queries=5))
    assert own_learnt_shop.manifest("index").content == before
    assert not own_learnt_shop.has("tuning")


def test_bad_settings_are_refused(built_shop):
    with pytest.raises(UsageError, match=r"ann_recall=1\.5"):
        tune_workspace(built_shop, TuneConfig(ann_recall=1.5))
