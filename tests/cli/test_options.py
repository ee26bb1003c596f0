import pytest


def test_the_workspace_can_come_from_the_environment(aisle_json, built_shop, monkeypatch):
    monkeypatch.setenv("AISLE_WORKSPACE", str(built_shop.path))
    assert len(aisle_json("search", "lamp", "--k", 2)["hits"]) == 2


def test_set_comes_after_the_recipe(aisle, built_shop, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text("[train]\nbatch_size = 0\n")
    refused = aisle("train", "--workspace", built_shop.path, "--recipe", recipe)
    assert refused.code == 1
    assert "train.batch_size" in refused.err
    other = aisle("train", "--workspace", built_shop.path, "--recipe", recipe, "--set", "train.batch_size=-1")
    assert "received -1" in other.err


@pytest.mark.parametrize("command", ["train", "index", "demo"])
def test_a_setting_that_does_not_exist_is_told_with_what_was_meant(aisle, shop, command):
    result = aisle(command, "--workspace", shop.path, "--set", "train.epoch=1", "--set", "text.init.x=1")
    assert result.code == 1
    assert "train.epoch is not a setting; did you mean train.epochs?" in result.err
    assert "text.init" in result.err


def test_a_demo_with_wrong_settings_makes_no_workspace(aisle, tmp_path):
    assert aisle("demo", "--workspace", tmp_path / "new", "--set", "sead=1").code == 1
    assert not (tmp_path / "new").exists()
