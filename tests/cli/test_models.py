import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_train_and_index_report_and_are_skipped_the_second_time(
    aisle, aisle_json, import_shop, tiny, set_options, tmp_path
):
    shop = import_shop(tmp_path / "shop").path
    settings = set_options(tiny())
    train = ["train", "--workspace", shop, *settings]
    first, second = aisle_json(*train), aisle_json(*train)
    assert (first["step"], first["skipped"], second["skipped"]) == ("train", False, True)
    assert 0 <= first["validation_recall"] <= 1
    assert {**first, "skipped": True} == second
    assert "train (unchanged: skipped)" in aisle(*train).out
    # The settings of training are no business of the index.
    first, second = aisle_json("index", "--workspace", shop), aisle_json("index", "--workspace", shop, *settings)
    assert (first["step"], first["skipped"], second["skipped"]) == ("index", False, True)
    assert first["index"]["num_products"] == 300
    assert {**first, "skipped": True} == second


@pytest.mark.slow
def test_two_processes_train_and_index(aisle_json, import_shop, tiny, set_options, tmp_path):
    """They are started as a user starts them; what the first one prints is the command's."""
    shop = import_shop(tmp_path / "shop")
    options = ["--workspace", str(shop.path), *set_options(tiny())]

    def in_two(command):
        line = [sys.executable, "-m", "aisle.cli", command, *options, "--processes", "2", "--json"]
        return json.loads(subprocess.run(line, check=True, capture_output=True, text=True).stdout)

    trained, indexed = in_two("train"), in_two("index")
    assert [(one["step"], one["skipped"]) for one in (trained, indexed)] == [("train", False), ("index", False)]
    assert 0 <= trained["validation_recall"] <= 1
    assert indexed["index"]["num_products"] == 300
    assert in_two("train") == aisle_json("train", *options) == {**trained, "skipped": True}


def test_index_settings_are_taken_from_a_recipe(aisle_json, shop, tmp_path):
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('[index]\nkind = "exact"\n[hybrid]\nsemantic_weight = 0.25\n')
    report = aisle_json("index", "--workspace", shop.path, "--recipe", recipe)
    assert (report["index"]["kind"], report["hybrid"]["semantic_weight"]) == ("exact", 0.25)


def test_what_was_set_the_last_time_and_is_not_now_is_told(aisle, shop):
    aisle("index", "--workspace", shop.path, "--set", "index.kind=exact")
    result = aisle("index", "--workspace", shop.path)
    assert result.code == 0
    assert "Other settings than the present index's: index.kind exact → hnsw." in result.err
    assert "Settings are not remembered" in result.err
    assert "Other settings" not in aisle("index", "--workspace", shop.path).err


def test_going_on_from_a_model_without_a_new_day_tells_what_to_do(aisle, learnt_shop):
    result = aisle("train", "--workspace", learnt_shop.path, "--from", learnt_shop.folder("model"))
    assert result.code == 2
    assert "needs its own settings of towers and features" in result.err
    result = aisle("train", "--workspace", learnt_shop.path, "--from", learnt_shop.path / "nowhere")
    assert result.code == 1
    assert "manifest" in result.err
