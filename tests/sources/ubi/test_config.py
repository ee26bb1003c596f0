import pytest

from aisle.core.config import config_from_dict
from aisle.core.errors import ConfigError
from aisle.sources.ubi import UbiConfig


def test_bots_are_kept_by_default():
    assert UbiConfig().drop_bots is False


@pytest.mark.parametrize("name", ["late_days", "skew_seconds", "attribution_days", "bot_searches_per_hour"])
def test_windows_are_not_negative(name):
    with pytest.raises(ConfigError, match=name):
        config_from_dict(UbiConfig, {name: -1})
