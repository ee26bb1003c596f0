import pytest

from aisle.core.errors import UsageError
from aisle.simulation.config import FROZEN_CONFIGS, MarketplaceConfig, frozen_config, frozen_figures


def test_frozen_sizes():
    small, default = (frozen_config(name) for name in FROZEN_CONFIGS)
    assert (small.products, small.searches, small.users) == (20_000, 150_000, 25_000)
    assert (default.products, default.searches, default.users) == (100_000, 1_000_000, 150_000)
    assert small.seed != default.seed
    assert isinstance(small, MarketplaceConfig)


@pytest.mark.parametrize("name", FROZEN_CONFIGS)
def test_what_they_came_to_is_written_down(name):
    figures = frozen_figures(name)
    assert figures["searches"] == frozen_config(name).searches
    assert len(figures["sha256"]) == 64


def test_other_names_are_refused():
    with pytest.raises(UsageError, match="Choose among small, default"):
        frozen_config("large")
