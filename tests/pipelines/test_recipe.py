import importlib.util
import tomllib
from pathlib import Path

import pytest

from aisle.core.errors import ConfigError
from aisle.pipelines.recipe import DEMO_RECIPE, Recipe, load_recipe

ROOT = Path(__file__).parents[2]


def tool(name):
    specification = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_without_file_and_overrides_it_is_the_defaults():
    assert load_recipe(None, []) == Recipe()


def test_a_file_changes_the_defaults_and_an_override_changes_the_file(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text('seed = 3\n[train]\nepochs = 9\nbatch_size = 7\n[lexical]\nfields = ["title"]\n')
    recipe = load_recipe(path, ["train.epochs=2", "text.enabled=false", "text.init=./some/folder"])
    assert (recipe.seed, recipe.train.epochs, recipe.train.batch_size) == (3, 2, 7)
    assert recipe.lexical.fields == ("title",)
    assert (recipe.text.enabled, recipe.text.init) == (False, "./some/folder")
    assert recipe.features == Recipe().features


def test_towers_take_their_part():
    shares = ["term.share=2", "text.share=1", "text.enabled=true"]
    towers = load_recipe(None, ["embedding_dim=48", "fusion=concat", *shares]).towers()
    assert (towers.embedding_dim, towers.fusion) == (48, "concat")
    assert towers.part_dims() == {"term": 32, "text": 16}


def test_channels_of_a_log_are_switched_off_by_name():
    everything = ("graph", "context", "history")
    towers = load_recipe(None, ["history.enabled=false", "graph.pooling=attention", "history.events=5"]).towers(
        everything
    )
    assert (towers.graph.enabled, towers.context.enabled, towers.history.enabled) == (True, True, False)
    assert (towers.graph.pooling, towers.history.events) == ("attention", 5)
    assert list(load_recipe(None, ["graph.enabled=false"]).towers(everything).part_dims()) == ["term", "context"]
    assert load_recipe(None, []).towers().part_dims() == {"term": 256}


def test_a_channel_that_is_switched_on_needs_a_log():
    recipe = load_recipe(None, ["graph.enabled=true"])
    with pytest.raises(ConfigError, match=r"must have data in the workspace.*graph\.enabled=True.*aisle mine"):
        recipe.towers()
    with pytest.raises(ConfigError, match="must get a dimension"):
        load_recipe(None, ["graph.enabled=true", "embedding_dim=2"])


def test_all_problems_of_file_and_overrides_come_at_once(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text('embeding_dim = 8\n[train]\nepochs = "many"\n[index]\nkind = "tree"\n')
    with pytest.raises(ConfigError) as caught:
        load_recipe(path, ["train.batch_size=0", "hybrid.semantic_weight=2", "seed=nan", "train.patiense=1"])
    text = str(caught.value)
    for expected in (
        "did you mean embedding_dim",
        "train.epochs",
        "index.kind",
        "train.batch_size",
        "hybrid.semantic_weight",
        "seed",
        "did you mean train.patience",
    ):
        assert expected in text


def test_all_overrides_of_another_form_come_at_once():
    with pytest.raises(ConfigError, match=r"'train\.epochs' is not.*'=3' is not"):
        load_recipe(None, ["train.epochs", "=3"])


def test_a_recipe_without_any_part_is_refused():
    with pytest.raises(ConfigError, match="At least one part must be on"):
        load_recipe(None, ["term.enabled=false", "text.enabled=false"])


def test_a_missing_or_broken_file_is_told(tmp_path):
    with pytest.raises(ConfigError, match="must exist"):
        load_recipe(tmp_path / "none.toml", [])
    broken = tmp_path / "broken.toml"
    broken.write_text("seed =")
    with pytest.raises(ConfigError, match="must be a TOML file"):
        load_recipe(broken, [])


def test_the_committed_default_recipe_is_what_its_tool_writes():
    writer = tool("write_default_recipe")
    assert writer.RECIPE.read_text(encoding="utf-8") == writer.default_recipe(), (
        "a default or a docstring has changed: run python tools/write_default_recipe.py"
    )


def test_the_default_recipe_loads_to_the_defaults_and_holds_every_setting():
    path = tool("write_default_recipe").RECIPE
    assert load_recipe(path, []) == Recipe()
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# aisle train --workspace shop --recipe default.toml")
    assert missing(tomllib.loads(text), Recipe(), text) == []


def test_the_recipe_of_the_demo_names_its_command_and_only_what_differs():
    text = DEMO_RECIPE.read_text(encoding="utf-8")
    assert text.startswith("# aisle demo\n")
    assert load_recipe(DEMO_RECIPE, []) != Recipe()
    assert unchanged(tomllib.loads(text), Recipe()) == []


def unchanged(values, config):
    """List the settings of a file that are the defaults anyway."""
    found = []
    for name, value in values.items():
        default = getattr(config, name)
        if isinstance(value, dict):
            found += unchanged(value, default)
        elif value == default:
            found.append(name)
    return found


def missing(values, config, text):
    """List the settings of a config that the file neither sets nor names as not set."""
    found = []
    for name, value in vars(config).items():
        if hasattr(value, "__dataclass_fields__"):
            found += missing(values.get(name, {}), value, text)
        elif name not in values and not (value is None and f"# {name} is not set" in text):
            found.append(name)
    return found
