import numpy as np
import pytest

from aisle.experiments.arms import assign_arms, split_again
from aisle.experiments.lift import Rate


def test_a_shopper_stays_in_one_arm_whoever_else_comes():
    few, many = assign_arms(100, split=0.5, seed=3), assign_arms(10_000, split=0.5, seed=3)
    assert np.array_equal(few, many[:100])
    assert many.mean() == pytest.approx(0.5, abs=0.02)
    assert assign_arms(10_000, split=0.2, seed=3).mean() == pytest.approx(0.2, abs=0.02)


def test_another_seed_is_an_independent_split():
    first, second = (assign_arms(10_000, split=0.5, seed=seed) for seed in (1, 2))
    assert (first == second).mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_a_run_split_again_and_again_keeps_its_level(draw_rate, seed):
    test = split_again(draw_rate(4_000, seed=seed), runs=200, split=0.5, seed=seed)
    assert 4 <= test.rejections <= 16
    assert np.mean(test.p) == pytest.approx(0.5, abs=0.08)
    assert test.as_dict()["runs"] == len(test.p) == 200


def test_searches_taken_as_independent_would_cry_wolf(draw_rate):
    rate = draw_rate(2_000, seed=0)
    wrong = []
    for seed in range(200):
        arms = [mask(assign_arms(2_000, split=0.5, seed=seed)) for mask in (np.logical_not, np.asarray)]
        sold, asked = ([column[arm].sum() for arm in arms] for column in (rate.taken, rate.chances))
        error = np.sqrt(1 / sold[0] + 1 / sold[1])
        wrong.append(abs(np.log(sold[0] / asked[0] * asked[1] / sold[1])) > 1.96 * error)
    assert np.mean(wrong) > 0.08


def test_no_splits_have_no_rejections():
    none = split_again(Rate(np.ones(3), np.ones(3)), runs=0, split=0.5, seed=0)
    assert none.as_dict() == {"runs": 0, "rejections": 0, "p": ()}
