import pytest

from aisle.core.config import config_from_dict
from aisle.core.errors import ConfigError
from aisle.tables import STAGE_GRADES, Stage
from aisle.training import TrainConfig
from aisle.training.loss_config import DynamicConfig, HingeConfig, StageConfig


def test_by_default_a_stage_counts_its_grade_of_an_order():
    weights = StageConfig().by_stage()
    for stage in (Stage.CLICKED, Stage.FAVORITED, Stage.CARTED, Stage.ORDERED):
        assert weights[stage] == STAGE_GRADES[stage] / STAGE_GRADES[Stage.ORDERED]
    assert weights[Stage.SHOWN] == 0


@pytest.mark.parametrize(("skip_ranks", "depth"), [(10, 10), (11, 10)])
def test_a_pool_that_is_looked_at_less_deep_than_skipped_is_refused(skip_ranks, depth):
    with pytest.raises(ConfigError, match=r"look deeper than it skips.*depth=10"):
        DynamicConfig(skip_ranks=skip_ranks, depth=depth)


def test_hinge_thresholds_that_fall_are_refused():
    with pytest.raises(ConfigError, match=r"never fall from random to ordered.*clicked=0\.4"):
        HingeConfig(clicked=0.4)


def test_hinge_thresholds_reach_the_loss_by_their_names():
    thresholds = HingeConfig(random=0.1, shown=0.2, clicked=0.3, carted=0.4, ordered=0.5).thresholds()
    assert (thresholds.random, thresholds.shown, thresholds.clicked) == (0.1, 0.2, 0.3)
    assert (thresholds.carted, thresholds.ordered) == (0.4, 0.5)


@pytest.mark.parametrize(
    "values",
    [
        {"dynamic": {"pool_size": 0}},
        {"dynamic": {"margin": -0.1}},
        {"stages": {"ordered": -1.0}},
        {"stages": {"assisted": 1.5}},
        {"hinge": {"learning_rate": 0.0}},
        {"dynamic_weight": -1.0},
        {"propensity_most": 0.5},
    ],
)
def test_values_out_of_bounds_are_refused_by_name(values):
    [name] = values
    with pytest.raises(ConfigError, match=name):
        config_from_dict(TrainConfig, values)
