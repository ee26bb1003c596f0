import pytest

from aisle.core.config import config_from_dict, config_to_dict
from aisle.core.errors import ConfigError
from aisle.store import StoreConfig


def test_a_config_is_the_same_after_writing_down():
    config = StoreConfig(quantisation="none", ef_search=77)
    assert config_from_dict(StoreConfig, config_to_dict(config)) == config


@pytest.mark.parametrize("values", [{"ef_search": 0}, {"oversampling": 0.5}, {"storage": "fp8"}, {"num_links": 2}])
def test_values_out_of_bounds_are_refused(values):
    with pytest.raises(ConfigError, match=next(iter(values))):
        config_from_dict(StoreConfig, values)
