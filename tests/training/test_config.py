import pytest

from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.errors import ConfigError
from aisle.training import PairConfig, TrainConfig

WRONG = [
    (PairConfig, "source", "logs"),
    (PairConfig, "pseudo_per_product", 0),
    (PairConfig, "max_pseudo_pairs", 0),
    (PairConfig, "max_words", 0),
    (PairConfig, "max_words", 9),
    (PairConfig, "validation_share", 0.0),
    (PairConfig, "validation_share", 0.6),
    (TrainConfig, "batch_size", 1),
    (TrainConfig, "epochs", 0),
    (TrainConfig, "min_steps", 0),
    (TrainConfig, "stop_measure", "R@20"),
    (TrainConfig, "max_minutes", 0),
    (TrainConfig, "temperature", 0.0),
    (TrainConfig, "batch_weight", -0.1),
    (TrainConfig, "uniform_weight", -0.1),
    (TrainConfig, "num_uniform", 0),
    (TrainConfig, "log_q", "perhaps"),
    (TrainConfig, "fusion_learning_rate", 0.0),
    (TrainConfig, "weight_decay", -1.0),
    (TrainConfig, "warmup_share", 1.5),
    (TrainConfig, "gradient_clip", 0.0),
    (TrainConfig, "validations_per_epoch", 0),
    (TrainConfig, "patience", 0),
    (TrainConfig, "max_validation_queries", 0),
    (TrainConfig, "checkpoint_minutes", 0.0),
]


@pytest.mark.parametrize(("cls", "name", "value"), WRONG)
def test_values_out_of_bounds_are_refused_by_name(cls, name, value):
    with pytest.raises(ConfigError, match=f"{name}: "):
        config_from_dict(cls, {name: value})


@pytest.mark.parametrize("config", [PairConfig(max_words=8), TrainConfig(batch_size=2, warmup_share=0.0, bf16=False)])
def test_dictionaries_bring_back_the_config(config):
    assert config_from_dict(type(config), config_to_dict(config)) == config


def test_defaults_lie_within_their_own_bounds():
    for cls in (PairConfig, TrainConfig):
        assert config_from_dict(cls, config_to_dict(cls())) == cls()


def test_losses_without_any_source_of_negatives_are_refused():
    weights = {"batch_weight": 0.0, "uniform_weight": 0.0}
    with pytest.raises(ConfigError, match=r"At least one source .*train\.dynamic_weight.*Give one of them a weight"):
        TrainConfig(**weights)
    assert TrainConfig(**weights, dynamic_weight=0.1).by_search_only == {"train.dynamic_weight": 0.1}


def test_by_default_nothing_is_on_that_needs_searches():
    assert TrainConfig().by_search_only == {}


@pytest.mark.parametrize(("pseudo", "judged"), [(0.5, 0.5), (0.9, 0.2)])
def test_shares_that_leave_the_log_no_row_are_refused(pseudo, judged):
    with pytest.raises(ConfigError, match=rf"leave room.*pseudo_share={pseudo}, .*judged_share={judged}"):
        TrainConfig(pseudo_share=pseudo, judged_share=judged)
