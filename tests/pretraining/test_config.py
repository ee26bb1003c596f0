import pytest

from aisle.core.config import config_from_dict
from aisle.core.errors import ConfigError
from aisle.pretraining import PretrainConfig


def test_step_size_is_small_for_weights_that_know_something_already():
    assert PretrainConfig().resolved_learning_rate == 1e-3
    assert PretrainConfig(init="folder").resolved_learning_rate == 5e-5
    assert PretrainConfig(init="folder", learning_rate=1e-4).resolved_learning_rate == 1e-4


def test_weights_stand_by_the_name_of_their_objective():
    config = PretrainConfig(masked_weight=0.5, contrastive_weight=0, sequence_weight=2)
    assert config.weights == {"masked": 0.5, "contrastive": 0, "sequence": 2}


def test_nothing_to_learn_is_refused():
    with pytest.raises(
        ConfigError, match=r"must learn something\. Received: pretrain\.masked_weight=0,.*weight above 0"
    ):
        PretrainConfig(masked_weight=0, contrastive_weight=0)


@pytest.mark.parametrize(
    ("name", "value"),
    [("mask_share", 0.0), ("batch_size", 1), ("max_minutes", 0), ("held_out_share", 1.0), ("temperature", -1.0)],
)
def test_values_out_of_bounds_are_refused(name, value):
    with pytest.raises(ConfigError, match=rf"{name}: Input should be"):
        config_from_dict(PretrainConfig, {name: value})
