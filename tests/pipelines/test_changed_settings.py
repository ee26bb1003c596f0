import shutil

from aisle.pipelines.changed_settings import changed_settings
from aisle.pipelines.recipe import load_recipe


def test_the_same_settings_change_nothing(shop, tiny):
    assert changed_settings(shop, load_recipe(None, tiny()), "model") == []
    assert changed_settings(shop, load_recipe(None, tiny()), "index") == []
    # What only the other step reads is no business of this one.
    assert changed_settings(shop, load_recipe(None, tiny(index__kind="exact")), "model") == []
    assert changed_settings(shop, load_recipe(None, tiny(train__epochs=7)), "index") == []


def test_settings_that_are_left_out_go_back_to_their_defaults(shop, tiny):
    told = changed_settings(shop, load_recipe(None, []), "model")
    defaults = load_recipe(None, [])
    assert f"train.batch_size 64 → {defaults.train.batch_size}" in told
    assert f"embedding_dim 32 → {defaults.embedding_dim}" in told
    assert f"pairs.pseudo_per_product 2 → {defaults.pairs.pseudo_per_product}" in told
    assert not [line for line in told if line.startswith(("index.", "hybrid."))]


def test_seed_curves_and_index(shop, tiny):
    recipe = load_recipe(None, tiny(seed=3, train__tensorboard="false", index__kind="exact"))
    assert changed_settings(shop, recipe, "model") == ["seed 0 → 3"]
    assert changed_settings(shop, recipe, "index") == ["index.kind hnsw → exact", "seed 0 → 3"]


def test_where_there_is_none_there_is_nothing_to_tell(shop, tiny):
    recipe = load_recipe(None, [])
    shutil.rmtree(shop.folder("features"))
    told = changed_settings(shop, recipe, "model")
    assert "embedding_dim 32 → 256" in told
    assert not [line for line in told if line.startswith("pairs.")]
    shutil.rmtree(shop.folder("model"))
    assert changed_settings(shop, recipe, "model") == []
