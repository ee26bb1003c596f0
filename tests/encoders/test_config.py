import pytest

from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.errors import ConfigError
from aisle.encoders import (
    ContextEncoderConfig,
    GraphEncoderConfig,
    HistoryEncoderConfig,
    TermEncoderConfig,
    TextEncoderConfig,
)

ALL = [ContextEncoderConfig, GraphEncoderConfig, HistoryEncoderConfig, TermEncoderConfig, TextEncoderConfig]


@pytest.mark.parametrize("cls", ALL)
def test_the_defaults_hold(cls):
    assert config_from_dict(cls, config_to_dict(cls())) == cls()


@pytest.mark.parametrize(
    ("cls", "name", "value"),
    [
        (TermEncoderConfig, "share", 0),
        (TermEncoderConfig, "share", float("inf")),
        (TermEncoderConfig, "learning_rate", 0),
        (TextEncoderConfig, "share", -1),
        (TextEncoderConfig, "num_layers", 0),
        (TextEncoderConfig, "hidden_dim", 7),
        (TextEncoderConfig, "num_heads", 0),
        (TextEncoderConfig, "dropout", 1),
        (TextEncoderConfig, "learning_rate", 0),
        (GraphEncoderConfig, "pooling", "max"),
        (GraphEncoderConfig, "neighbours", 0),
        (GraphEncoderConfig, "dropout", 1),
        (GraphEncoderConfig, "row_dropout", -0.1),
        (ContextEncoderConfig, "hidden_dim", 0),
        (ContextEncoderConfig, "table_learning_rate", 0),
        (HistoryEncoderConfig, "events", 0),
        (HistoryEncoderConfig, "dim", 1),
    ],
)
def test_a_value_out_of_bounds_is_refused(cls, name, value):
    with pytest.raises(ConfigError, match=f"{name}: Input should be"):
        config_from_dict(cls, {name: value})


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, 1e-3),
        ({"init": "some/checkpoint"}, 5e-5),
        ({"init": "x", "learning_rate": 0.1}, 0.1),
        ({"init": "x", "frozen": True}, 1e-3),
        ({"init": "x", "frozen": True, "learning_rate": 0.1}, 0.1),
        ({"learning_rate": 2.0}, 2.0),
    ],
)
def test_a_checkpoint_is_trained_in_smaller_steps(settings, expected):
    assert TextEncoderConfig(**settings).resolved_learning_rate == expected


def test_heads_of_the_history_must_divide_its_width():
    with pytest.raises(ConfigError, match=r"must be a multiple.*history\.dim=9, history\.num_heads=2\. Change one"):
        config_from_dict(HistoryEncoderConfig, {"dim": 9})


def test_nothing_is_frozen_without_a_checkpoint():
    with pytest.raises(ConfigError, match=r"text\.frozen needs a checkpoint.*init'?=None\. Name one by text\.init"):
        config_from_dict(TextEncoderConfig, {"frozen": True})
