import numpy as np
import pytest

from aisle.core.errors import ShapeError
from aisle.evaluation import adjacent_chain


def test_ratios_are_chained():
    found = adjacent_chain(np.array([10.0, 8.0, 4.0]), np.array([8.0, 4.0, 1.0]))
    assert found.tolist() == pytest.approx([1.0, 0.8, 0.4, 0.1])


def test_a_rise_is_noise_and_a_step_without_clicks_changes_nothing():
    assert adjacent_chain(np.array([1.0, 0.0, 2.0]), np.array([1.5, 0.0, 1.0])).tolist() == [1.0, 1.0, 1.0, 0.75]
    assert adjacent_chain(np.array([1.0, 0.0]), np.array([0.0, 5.0])).tolist() == [1.0, 0.01, 0.01]


def test_no_steps_are_one_place():
    assert adjacent_chain(np.empty(0), np.empty(0)).tolist() == [1.0]


def test_finds_the_examination_that_clicks_were_drawn_from():
    rng = np.random.default_rng(0)
    true = np.array([1.0, 0.7, 0.5, 0.3])
    relevance = rng.beta(1, 3, 40_000)
    clicks = np.stack([rng.random(40_000) < examined * relevance for examined in true]).mean(axis=1)
    np.testing.assert_allclose(adjacent_chain(clicks[:-1], clicks[1:]), true, atol=0.03)


def test_unequal_steps_are_refused():
    with pytest.raises(ShapeError, match="a rate above and one below"):
        adjacent_chain(np.ones(2), np.ones(3))
