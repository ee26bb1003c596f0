import pytest

from aisle.core.config import config_from_dict
from aisle.core.errors import ConfigError
from aisle.training import TrainConfig
from aisle.training.warm_config import WarmConfig

WRONG = [("passes", 0), ("replay_share", 1.0), ("rate_factor", 0.0), ("warmup_share", 1.5), ("validations", 0)]


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_values_out_of_bounds_are_refused_by_name(name, value):
    with pytest.raises(ConfigError, match=f"warm.{name}: "):
        config_from_dict(TrainConfig, {"warm": {name: value}})


def test_a_run_that_goes_on_has_one_epoch_and_the_smaller_steps():
    config = TrainConfig(
        rate_factor=0.5, warm=WarmConfig(rate_factor=0.2, warmup_share=0.3, validations=3)
    ).from_model()
    assert (config.epochs, config.min_steps, config.validations_per_epoch) == (1, 1, 3)
    assert (config.rate_factor, config.warmup_share) == (0.1, 0.3)
    assert config.max_minutes == TrainConfig().max_minutes
