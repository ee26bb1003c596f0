from dataclasses import replace

import numpy as np
import pytest

from aisle.simulation.ratings import draw_ratings


@pytest.fixture(scope="module")
def ratings(world):
    stars, num = draw_ratings(world, seed=3)
    return stars.to_numpy(zero_copy_only=False), num.to_numpy()


def test_stars_follow_quality_the_more_closely_the_more_ratings(world, ratings):
    stars, num = ratings
    few, many = (num >= 1) & (num <= 2), num >= 30
    loose, tight = (np.corrcoef(stars[rows], world.quality[rows])[0, 1] for rows in (few, many))
    assert 0.1 < loose < tight
    assert tight > 0.8


def test_stars_are_tenths_from_one_to_five_and_null_without_ratings(ratings):
    stars, num = ratings
    assert (np.isnan(stars) == (num == 0)).all()
    known = stars[num > 0]
    assert known.min() >= 1
    assert known.max() <= 5
    assert np.allclose(known * 10, np.round(known * 10))


def test_numbers_are_heavy_tailed_and_nothing_new_is_rated(world, ratings):
    _, num = ratings
    assert (num[world.arrived_at >= 0] == 0).all()
    rated = np.sort(num[num > 0])
    assert rated[-len(rated) // 10 :].sum() > 0.4 * rated.sum()


def test_variants_share_their_ratings(world, ratings):
    _, num = ratings
    same = np.diff(world.truth.model_index) == 0
    assert (np.diff(num)[same] == 0).all()


def test_models_need_not_stand_in_order(world):
    shuffled = np.random.default_rng(0).permutation(world.truth.model_index)
    _, num = draw_ratings(replace(world, truth=replace(world.truth, model_index=shuffled)), seed=3)
    assert (num.to_numpy()[shuffled == 5] == num[int(np.flatnonzero(shuffled == 5)[0])].as_py()).all()
