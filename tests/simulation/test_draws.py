import numpy as np
import pytest

from aisle.simulation.draws import Draws

ROWS = np.arange(200_000)


def test_draws_depend_on_their_keys_and_on_nothing_else():
    draws = Draws(1, "a")
    together = draws.uniform(ROWS, ROWS % 7)
    assert np.array_equal(draws.uniform(ROWS[::-1], ROWS[::-1] % 7)[::-1], together)
    assert np.array_equal(draws.uniform(ROWS[:5, None], np.arange(7))[3], draws.uniform(np.full(7, 3), np.arange(7)))


@pytest.mark.parametrize("other", [Draws(2, "a"), Draws(1, "b")])
def test_other_seeds_and_names_are_unrelated(other):
    assert abs(np.corrcoef(Draws(1, "a").uniform(ROWS), other.uniform(ROWS))[0, 1]) < 0.01


def test_keys_that_lie_side_by_side_are_unrelated():
    draws = Draws(1, "a").uniform(ROWS)
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 0.01


def test_uniform_draws_are_even():
    counts = np.bincount((Draws(0).uniform(ROWS) * 10).astype(int), minlength=10)
    assert counts == pytest.approx(len(ROWS) / 10, abs=5 * np.sqrt(len(ROWS) / 10))


def test_normal_draws_are_standard_and_bounded():
    draws = Draws(0).normal(ROWS)
    assert draws.dtype == np.float32
    assert draws.mean() == pytest.approx(0, abs=0.01)
    assert draws.std() == pytest.approx(1, abs=0.01)
    assert np.abs(draws).max() <= 2 * np.sqrt(3)
    assert (np.abs(draws) < 1).mean() == pytest.approx(0.68, abs=0.02)


def test_an_index_lies_below_its_size():
    size = ROWS % 5
    index = Draws(0).index(size, ROWS)
    assert index.min() == 0
    assert (index < np.maximum(size, 1)).all()
    assert set(index[size == 3]) == {0, 1, 2}
