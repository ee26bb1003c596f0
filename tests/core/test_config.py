import json
from dataclasses import dataclass, field
from typing import Annotated

import pytest
from annotated_types import Gt, Le
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.config import apply_overrides, config_from_dict, config_to_dict, read_toml
from aisle.core.errors import ConfigError


@dataclass(frozen=True)
class Text:
    enabled: bool = True
    dropout: Annotated[float, Gt(-0.001), Le(1)] = 0.1
    scale: float | None = None


@dataclass(frozen=True)
class Recipe:
    batch_size: Annotated[int, Gt(0)] = 512
    sizes: tuple[int, ...] = (64, 32)
    fusion: str = "sum"
    text: Text = field(default_factory=Text)


def test_toml_is_read(tmp_path):
    (tmp_path / "recipe.toml").write_text('fusion = "ü"\n[text]\ndropout = 0.5\n', encoding="utf-8")
    assert read_toml(tmp_path / "recipe.toml") == {"fusion": "ü", "text": {"dropout": 0.5}}


def test_a_recipe_that_is_missing_or_not_toml_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"recipe must exist\. Received: path="):
        read_toml(tmp_path / "none.toml")
    for content in (b"a = ", b"\xff", b"a = " + b"[" * 5000):
        (tmp_path / "bad.toml").write_bytes(content)
        with pytest.raises(ConfigError, match="must be a TOML file"):
            read_toml(tmp_path / "bad.toml")
    with pytest.raises(ConfigError, match="must be a TOML file"):
        read_toml(tmp_path)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("text.enabled=false", {"text": {"enabled": False, "dropout": 0.1}}),
        ("text.dropout = 0.5", {"text": {"enabled": True, "dropout": 0.5}}),
        ("sizes=[1, 2]", {"sizes": [1, 2]}),
        ("fusion=concat", {"fusion": "concat"}),
        ('fusion="true"', {"fusion": "true"}),
        ("fusion=a=b", {"fusion": "a=b"}),
        ("fusion=", {"fusion": ""}),
        ("new.deep.value=1", {"new": {"deep": {"value": 1}}}),
        ("fusion=" + "[" * 5000, {"fusion": "[" * 5000}),
    ],
)
def test_an_override_sets_one_value(override, expected):
    values = {"text": {"enabled": True, "dropout": 0.1}}
    assert apply_overrides(values, [override]) == values | expected


def test_later_overrides_win_and_the_given_values_stay():
    values = {"text": {"dropout": 0.1}}
    assert apply_overrides(values, ["text.dropout=1", "text.dropout=2"]) == {"text": {"dropout": 2}}
    assert values == {"text": {"dropout": 0.1}}


def test_all_overrides_that_do_not_fit_are_told_at_once():
    with pytest.raises(ConfigError) as caught:
        apply_overrides({"fusion": "sum"}, ["batch_size", "a..b=1", "fusion.kind=2", "=3"])
    assert caught.value.received["problems"] == [
        "'batch_size' is not of the form a.b=value",
        "'a..b=1' is not of the form a.b=value",
        "'fusion.kind=2' runs through 'fusion', which has no fields",
        "'=3' is not of the form a.b=value",
    ]


def test_missing_fields_take_their_defaults():
    assert config_from_dict(Recipe, {}) == Recipe()
    recipe = config_from_dict(Recipe, {"text": {"enabled": False}, "sizes": [1]})
    assert recipe == Recipe(sizes=(1,), text=Text(enabled=False))


def test_all_problems_are_told_at_once_with_the_nearest_name():
    values = {"batch_size": 0, "fusoin": "sum", "text": {"dropout": "much", "wings": 2}}
    with pytest.raises(ConfigError) as caught:
        config_from_dict(Recipe, values)
    message = str(caught.value)
    assert "fusoin is not a setting; did you mean fusion?" in message
    assert "text.wings is not a setting; known are enabled, dropout, scale" in message
    assert "batch_size: Input should be greater than 0 (received 0)" in message
    assert "text.dropout: Input should be a valid number" in message


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), "inf"])
def test_a_number_that_is_infinite_or_undefined_is_refused(value):
    with pytest.raises(ConfigError, match=r"text\.scale: Input should be a finite number \(received -?(inf|nan)\)"):
        config_from_dict(Recipe, {"text": {"scale": value}})


def test_a_value_of_another_shape_is_refused():
    with pytest.raises(ConfigError, match=r"text: Input should be a dictionary or an instance of Text \(received 3\)"):
        config_from_dict(Recipe, {"text": 3})
    with pytest.raises(ConfigError, match=r"batch_size: Input should be a valid integer"):
        config_from_dict(Recipe, {"batch_size": {"a": 1}})


@given(st.integers(1, 9), st.booleans(), st.floats(0, 1), st.lists(st.integers(), max_size=3))
def test_a_config_survives_json(batch_size, enabled, dropout, sizes):
    recipe = Recipe(batch_size=batch_size, sizes=tuple(sizes), text=Text(enabled=enabled, dropout=dropout))
    assert config_from_dict(Recipe, json.loads(json.dumps(config_to_dict(recipe)))) == recipe


@pytest.mark.parametrize("value", [Recipe, {"fusion": "sum"}])
def test_only_an_instance_of_a_dataclass_becomes_a_dictionary(value):
    with pytest.raises(TypeError, match="instance of a dataclass"):
        config_to_dict(value)
