import pytest

from aisle.core.config import config_from_dict
from aisle.core.errors import ConfigError
from aisle.mining import MiningConfig


def test_defaults_follow_the_design():
    config = MiningConfig()
    assert (config.num_slices, config.graph.num_neighbours, config.session_gap_minutes) == (8, 10, 30)
    assert config.assist.enabled
    assert config.graph.assisted


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"num_slices": 1}, "num_slices"),
        ({"test_share": 0.9}, "test_share"),
        ({"assist": {"discount": 0}}, "discount"),
        ({"graph": {"half_life_days": 0}}, "half_life_days"),
        ({"graph": {"num_neighbors": 3}}, "did you mean graph.num_neighbours"),
    ],
)
def test_values_out_of_bounds_are_named(values, named):
    with pytest.raises(ConfigError, match=named):
        config_from_dict(MiningConfig, values)
