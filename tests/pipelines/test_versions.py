import json

import numpy as np
import pytest

from aisle.core.errors import WorkspaceError
from aisle.live.building import lay_out
from aisle.live.known import KnownProducts
from aisle.pipelines.boosting import BoostConfig, boost_workspace
from aisle.pipelines.training import train_model
from aisle.pipelines.versions import WorkspaceSource
from aisle.training import TrainingData


def test_a_version_is_of_what_the_workspace_holds(learnt_shop):
    source = WorkspaceSource(learnt_shop)
    read = source.read()
    assert dict(read.content) == dict(source.content())
    assert read.content["model"] == learnt_shop.manifest("model").content
    assert {"products", "model", "index", "mined", "users", "settings"} == set(read.content)
    assert {"model/config.json", "index/index.json", "log/histories.parquet", "users.parquet"} <= read.files.keys()
    assert all(path.is_file() for path in read.files.values())
    assert (read.settings.lexical_fields, read.settings.fusion) == (("title", "description"), "normalised")


def test_other_settings_are_another_content(learnt_shop):
    assert WorkspaceSource(learnt_shop).content() != WorkspaceSource(learnt_shop, store="faiss").content()


def test_products_have_the_neighbours_that_the_index_was_made_with(learnt_shop):
    found = WorkspaceSource(learnt_shop).read().neighbours
    trained = TrainingData.read(learnt_shop.folder("features")).product_features.neighbours
    assert np.array_equal(found.index, trained.index)
    assert np.array_equal(found.weight, trained.weight)


def test_a_model_that_reads_neither_log_nor_places_takes_neither(built_shop):
    read = WorkspaceSource(built_shop).read()
    assert not [name for name in read.files if name.startswith(("log/", "users"))]
    assert (read.neighbours, read.boost, read.new_boost) == (None, None, 0.0)


def test_the_card_is_for_people_to_complete(shop):
    before = WorkspaceSource(shop).content()
    (shop.folder("model") / "README.md").write_text("license: mit")
    shop.verified("model")
    assert WorkspaceSource(shop).content() == before
    assert not [name for name in WorkspaceSource(shop).read().files if name.endswith("README.md")]


def test_an_index_of_another_model_is_refused(shop, tiny_recipe):
    train_model(shop, tiny_recipe(seed=5))
    with pytest.raises(WorkspaceError, match=r"changed_since=\['model'\]"):
        WorkspaceSource(shop).content()


def test_the_boost_goes_along(own_learnt_shop, planted_boost, tmp_path):
    bare = WorkspaceSource(own_learnt_shop).content()
    planted_boost(weight=0.4)
    boost_workspace(own_learnt_shop, BoostConfig(trials=4))
    source = WorkspaceSource(own_learnt_shop)
    assert source.content() != bare
    read = source.read()
    assert read.new_boost == pytest.approx(0.2)
    lay_out(read, [], tmp_path, offset=0)
    known = KnownProducts.load(tmp_path)
    assert known.boost.tolist() == pytest.approx(read.boost.tolist())
    assert known.squared_norm > 1, "the longest of the model's vectors with its boost"


def test_an_index_that_was_built_before_sizes_could_be_chosen_serves_all_dimensions(shop):
    assert WorkspaceSource(shop).read().settings.dim is None
    path = shop.folder("index") / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest["config"]["encode"]["dim"]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert WorkspaceSource(shop).read().settings.dim is None
