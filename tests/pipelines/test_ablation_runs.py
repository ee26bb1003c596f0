import shutil
from dataclasses import replace

import numpy as np
import pytest

from aisle.core.errors import ConfigError
from aisle.experiments import AblationRow, Specification
from aisle.pipelines import ablation_runs
from aisle.pipelines.ablation_plan import plan_runs
from aisle.pipelines.ablation_runs import RunTask, clear_run, is_done, make_run, read_values
from aisle.pipelines.ablation_shared import FeaturesTask, make_features
from aisle.pipelines.measured_sets import MeasuredOn
from aisle.workspace import Workspace

ON = MeasuredOn(("log",), max_searches=10)


@pytest.fixture
def log_shop(_learnt_shop, tmp_path):
    shutil.copytree(_learnt_shop, tmp_path / "shop", ignore=shutil.ignore_patterns("model", "index", "features"))
    return Workspace.open(tmp_path / "shop")


def task_of(workspace, row, *, keep_models=False):
    specification = Specification(row.name, {row.name: row})
    plan = plan_runs(workspace, specification, base=None, seeds=1, measured_on={})
    [run] = plan.runs.values()
    return RunTask(workspace.path, run, ON, keep_models), plan.of_row[row.name][0]


def test_a_lexical_run_reads_the_tables_where_they_are(log_shop):
    task, place = task_of(log_shop, AblationRow("BM25", system="lexical"), keep_models=True)
    assert not is_done(log_shop.path, task.run)
    make_run(task)
    assert is_done(log_shop.path, task.run)
    folder = task.run.folder(log_shop.path)
    assert (folder / "products").is_symlink()
    values, figures = read_values(log_shop.path, *place)
    assert (list(values), list(figures)) == (["log"], ["cpu_minutes"])
    assert figures["cpu_minutes"] > 0
    assert set(values["log"]) == {"R@10", "R@100", "nDCG@10", "MRR"}
    assert len(values["log"]["MRR"]) == 10

    clear_run(folder)
    assert {path.name for path in folder.iterdir()} == {place[1], "workspace.json", ".lock"}
    assert (log_shop.folder("products") / "products.parquet").exists()
    assert is_done(log_shop.path, task.run)


class WordPeer:
    """Stands for MiniLM: a text is the count of some signs; what is tuned cannot tell numbers any more."""

    signs = "abcdefghij0123456789"

    def encode(self, texts):
        vectors = np.array([[text.count(sign) for sign in self.signs] for text in texts], np.float32)
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-6)

    def tune(self, queries, products, *, query_index, product_index, epochs, max_minutes, seed):
        from aisle.experiments import TuningReport

        assert max(query_index) < len(queries)
        assert max(product_index) < len(products)
        self.signs = "abcdefghij"
        return TuningReport(steps=epochs, minutes=max_minutes, pairs_s=1.0, loss=float(seed))


def test_peers_are_measured_by_the_same_code(log_shop, monkeypatch):
    monkeypatch.setattr(ablation_runs, "SentencePeer", WordPeer)
    task, place = task_of(log_shop, AblationRow("MiniLM", peer="minilm"))
    make_run(task)
    plain, figures = read_values(log_shop.path, *place)
    assert list(figures) == ["cpu_minutes"]

    task, place = task_of(log_shop, AblationRow("tuned", ("train.epochs=3",), peer="minilm-tuned"))
    assert task.run.features is not None
    make_features(FeaturesTask(log_shop.path, task.run.features, task.run.recipe))
    make_run(task)
    tuned, figures = read_values(log_shop.path, *place)
    assert figures["steps"] == 3
    assert tuned["log"]["MRR"].mean() < plain["log"]["MRR"].mean()


def test_a_boosted_row_is_measured_with_its_boost_and_the_next_one_without(log_shop, planted_boost, tiny):
    planted_boost()
    settings = (*tiny(text__enabled="false", embedding_dim=24, history__dim=8), "index.kind=exact")
    plain = AblationRow("unified", settings)
    specification = Specification("unified", {"unified": plain, "boosted": replace(plain, name="boosted", boost=True)})
    plan = plan_runs(log_shop, specification, base=None, seeds=1, measured_on={})
    [run] = plan.runs.values()
    assert [measuring.boost for measuring in run.measurings] == [False, True]
    # The boosted one first: its boost must not stay.
    backwards = replace(run, measurings=run.measurings[::-1])
    make_features(FeaturesTask(log_shop.path, run.features, run.recipe))
    make_run(RunTask(log_shop.path, backwards, ON, keep_models=False))
    found = {name: read_values(log_shop.path, *plan.of_row[name][0]) for name in specification.rows}
    assert found["boosted"][1]["boost_kept"] is True
    assert "boost_kept" not in found["unified"][1]
    assert not np.array_equal(found["boosted"][0]["log"]["MRR"], found["unified"][0]["log"]["MRR"])
    assert not (run.folder(log_shop.path) / "boost").exists()


def test_a_boost_needs_a_log(built_shop):
    specification = Specification("boosted", {"boosted": AblationRow("boosted", boost=True)})
    with pytest.raises(ConfigError, match=r"on the orders of a mined log. Received: rows=\['boosted'\]"):
        plan_runs(built_shop, specification, base=None, seeds=1, measured_on={})
