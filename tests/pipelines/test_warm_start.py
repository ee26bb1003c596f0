import json
import shutil

import numpy as np
import pytest

from aisle.core.errors import ModelError, UsageError, WorkspaceError
from aisle.evaluation import retrieve_all
from aisle.features import read_features
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.importing import import_tables
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.mining import mine
from aisle.pipelines.searching import load_retrievers
from aisle.pipelines.training import load_model, train_model
from aisle.pipelines.warm_start import open_start
from aisle.sources import SourceTables


@pytest.fixture
def day_two(day_one, grown_tables, small_recipe):
    """The shop with its second day, two new products and a new query among it, mined."""
    import_tables(day_one, SourceTables(grown_tables(400, start=250, num_products=32)), add=True)
    mine(day_one, small_recipe().mining, since="last")
    return day_one


def test_training_goes_on_from_the_shops_own_model(day_two, small_recipe, monkeypatch):
    better = iter([0.1, 0.9])
    measures = lambda *_, **__: dict.fromkeys(("R@10", "R@100", "nDCG@10"), next(better))  # noqa: E731
    monkeypatch.setattr("aisle.training.trainer.validation_measures", measures)
    before, until = day_two.manifest("model").content, day_two.manifest("model").summary["learnt_until"]
    start = load_model(day_two)
    result = train_model(day_two, small_recipe(), start="model")
    summary = result.manifest.summary
    assert summary["from"] == {"model": before, "learnt_until": until}
    assert summary["learnt_until"] == day_two.manifest("mined").summary["windows"]["train_end"] > until
    card = (day_two.folder("model") / "README.md").read_text()
    assert f"model {before}, which had learnt until {until[:10]}" in card
    # Vocabularies stay, weights move, and everything that is known has its vector.
    model = load_model(day_two)
    np.testing.assert_array_equal(model.featuriser.terms.idf, start.featuriser.terms.idf)
    assert any(
        (one != other).any() for one, other in zip(model.network.parameters(), start.network.parameters(), strict=True)
    )
    assert {"p30", "p31"} <= set(model.tables.products.ids.to_pylist())
    assert "word31" in model.tables.queries.ids.to_pylist()


def test_steps_of_size_zero_leave_the_model_as_it_was(day_two, small_recipe):
    start = load_model(day_two)
    train_model(day_two, small_recipe("train.warm.rate_factor=1e-30", "train.weight_decay=0"), start="model")
    for one, other in zip(load_model(day_two).network.parameters(), start.network.parameters(), strict=True):
        np.testing.assert_array_equal(one.detach().numpy(), other.detach().numpy())


def test_what_has_not_changed_is_not_featurised_again_and_is_the_same(day_two, small_recipe):
    before = day_two.folder("features")
    shutil.copytree(before, day_two.path / "kept")
    train_model(day_two, small_recipe(), start="model")
    then, now = (
        read_features(day_two.path / "kept" / "products"),
        read_features(day_two.folder("features") / "products"),
    )
    assert (len(then), len(now)) == (30, 32)
    np.testing.assert_array_equal(now.take(np.arange(30)).terms.bucket, then.terms.bucket)
    fresh = load_model(day_two).featuriser.products(read_products(day_two))
    np.testing.assert_array_equal(now.terms.bucket, fresh.terms.bucket)
    np.testing.assert_array_equal(now.context.ids, fresh.context.ids)


def test_new_products_are_found_after_going_on(day_two, small_recipe):
    train_model(day_two, small_recipe(), start="model")
    build_indexes(day_two, small_recipe())
    ranking = retrieve_all(load_retrievers(day_two, ["semantic"])["semantic"], ["word3", "word31"], k=32)
    assert 31 in ranking.product_index[1].tolist()


def test_a_second_time_it_is_skipped_and_training_anew_is_not(day_two, small_recipe):
    assert not train_model(day_two, small_recipe(), start="model").skipped
    before = day_two.manifest("model").content
    assert train_model(day_two, small_recipe(), start="model").skipped
    assert day_two.manifest("model").content == before
    with pytest.raises(UsageError, match="needs days that it has not learnt"):
        train_model(day_two, small_recipe("train.warm.passes=2"), start="model")
    assert not train_model(day_two, small_recipe()).skipped


def test_a_folder_of_a_model_can_be_gone_on_from(day_two, small_recipe, tmp_path):
    shutil.copytree(day_two.folder("model"), tmp_path / "model")
    one = train_model(day_two, small_recipe(), start=str(tmp_path / "model"))
    assert not one.skipped
    assert train_model(day_two, small_recipe(), start=str(tmp_path / "model")).skipped


def test_learnt_rows_of_the_graph_go_along(day_one, grown_tables, small_recipe):
    trained = ("graph.vectors=trained", "train.warm.rate_factor=1e-30", "train.weight_decay=0")
    train_model(day_one, small_recipe(*trained))
    start = load_model(day_one)
    import_tables(day_one, SourceTables(grown_tables(400, start=250, num_products=32)), add=True)
    mine(day_one, small_recipe().mining, since="last")
    train_model(day_one, small_recipe(*trained), start="model")
    before, after = (one.network.graph.learnt_rows("product").detach().numpy() for one in (start, load_model(day_one)))
    assert (len(before), len(after)) == (30, 32)
    np.testing.assert_array_equal(after[:30], before)
    assert not after[30:].any()


def test_without_a_new_day_it_is_refused(day_one, small_recipe):
    with pytest.raises(UsageError, match=r"needs days that it has not learnt.*aisle mine --since last"):
        train_model(day_one, small_recipe(), start="model")


def test_other_settings_are_refused_by_name(day_two, small_recipe):
    other = small_recipe("fusion=concat", "features.term.num_buckets=2048")
    with pytest.raises(UsageError, match=r"features\.term\.num_buckets.*1024 → 2048.*fusion.*post → concat"):
        train_model(day_two, other, start="model")


def test_pairs_without_searches_are_refused(day_two, small_recipe):
    with pytest.raises(UsageError, match=r"learnt search by search.*pairs\.by_search"):
        train_model(day_two, small_recipe("pairs.by_search=false"), start="model")


def test_a_model_that_does_not_tell_until_when_it_learnt_is_refused(day_two, tmp_path):
    path = day_two.folder("model") / "manifest.json"
    manifest = json.loads(path.read_text())
    del manifest["summary"]["learnt_until"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match=r"tell until when.*from='model'"):
        open_start(day_two, "model")
    with pytest.raises(WorkspaceError):
        open_start(day_two, str(tmp_path / "nowhere"))


def test_a_damaged_model_is_refused(day_two):
    path = day_two.folder("model") / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises((WorkspaceError, ModelError)):
        open_start(day_two, "model")


def test_the_model_is_kept_where_training_finds_nothing_better(day_two, small_recipe, monkeypatch):
    worse = iter([0.9, 0.1, 0.1, 0.1])
    measures = lambda *_, **__: dict.fromkeys(("R@10", "R@100", "nDCG@10"), next(worse))  # noqa: E731
    monkeypatch.setattr("aisle.training.trainer.validation_measures", measures)
    start = load_model(day_two)
    summary = train_model(day_two, small_recipe(), start="model").manifest.summary
    assert (summary["best_step"], summary["validation_recall"]) == (0, 0.9)
    for one, other in zip(load_model(day_two).network.parameters(), start.network.parameters(), strict=True):
        np.testing.assert_array_equal(one.detach().numpy(), other.detach().numpy())
    history = json.loads((day_two.folder("model") / "training.json").read_text())["history"]
    assert [row["step"] for row in history] == [0, summary["steps"]]
    assert "loss" not in history[0]
