from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import ShapeError
from aisle.evaluation import paired_test, sign_flip_p


def p_of(differences, **options) -> float:
    return float(sign_flip_p(np.array(differences, dtype=np.float64)[:, None], seed=0, **options)[0])


def test_exact_small_cases_by_hand():
    # Signs of 1, 2, 3: eight sums, of which +6 and -6 are as far from 0 as the observed 6.
    assert p_of([1, 2, 3]) == 2 / 8
    # Observed 4 = 3 + 2 - 1: as far or farther are ±6 and ±4.
    assert p_of([3, 2, -1]) == 4 / 8
    # Observed 0: everything is as far.
    assert p_of([1, -1]) == 1.0


def test_queries_without_a_difference_do_not_matter():
    assert p_of([1, 2, 3] + [0] * 500) == 2 / 8


def test_equal_systems_have_p_1_and_no_queries_have_none():
    assert p_of([0, 0, 0]) == 1.0
    assert np.isnan(p_of([]))
    assert p_of([0.5]) == 1.0


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=7))
def test_agrees_with_counting_all_signs(differences):
    sums = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in product((1, -1), repeat=len(differences))
    ]
    # Tenths do not add up exactly in floating point; equally extreme assignments must count all the same.
    assert p_of([d / 10 for d in differences]) == np.mean(np.array(sums) >= abs(sum(differences)))


def test_drawn_signs_come_close_to_counting_all_of_them():
    differences = np.random.default_rng(0).normal(0.3, 1.0, size=12)
    assert p_of(differences, num_permutations=4095) == pytest.approx(p_of(differences), abs=0.03)


def test_p_is_never_zero():
    assert p_of(np.ones(200)) == 1 / 10_001


def test_p_is_uniform_when_nothing_differs():
    # 400 comparisons of 40 queries whose differences are symmetric: 5 % come out below 0.05.
    noise = np.random.default_rng(0).normal(size=(40, 400))
    below = np.mean(sign_flip_p(noise, seed=1, num_permutations=1000) < 0.05)
    assert 0.01 < below < 0.10


def test_blocks_do_not_change_the_result(monkeypatch):
    exact, drawn = np.arange(1.0, 9.0)[:, None] - 3, np.random.default_rng(0).normal(0.1, 1, size=(40, 1))
    # A block of drawn signs takes whole bytes of the stream, so only its length may vary, not its width.
    whole = [sign_flip_p(values, seed=1, num_permutations=512) for values in (exact, drawn)]
    monkeypatch.setitem(sign_flip_p.__globals__, "_MAX_CELLS", 640)
    parts = [sign_flip_p(values, seed=1, num_permutations=512) for values in (exact, drawn)]
    assert whole == parts


def test_the_difference_is_first_minus_second_with_an_interval_around_it():
    rng = np.random.default_rng(0)
    second = rng.random((50, 2))
    first = second + np.array([0.1, 0.0]) + rng.normal(0, 0.02, size=(50, 2))
    test = paired_test(first, second, seed=1)
    np.testing.assert_allclose(test.difference, first.mean(axis=0) - second.mean(axis=0), rtol=1e-9)
    assert 0 < test.low[0] < test.difference[0] < test.high[0]
    assert test.p[0] < 0.001 < test.p[1]
    turned = paired_test(second, first, seed=1)
    np.testing.assert_allclose(turned.low, -test.high, atol=1e-12)
    np.testing.assert_array_equal(turned.p, test.p)


def test_no_queries_have_no_difference():
    test = paired_test(np.empty((0, 2)), np.empty((0, 2)), seed=1)
    assert np.isnan([test.difference, test.low, test.high, test.p]).all()


def test_systems_on_other_queries_are_refused():
    with pytest.raises(ShapeError, match="same queries"):
        paired_test(np.ones((3, 1)), np.ones((2, 1)), seed=1)
