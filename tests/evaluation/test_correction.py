import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import ShapeError
from aisle.evaluation import holm

P_VALUES = st.lists(st.floats(0, 1), max_size=12).map(lambda values: np.array(values, np.float64))


def rejected_one_by_one(p, *, alpha: float) -> list[bool]:
    """Holm's rule as the paper words it: from the smallest on, stop at the first that fails."""
    rejected = [False] * len(p)
    for step, place in enumerate(sorted(range(len(p)), key=lambda place: p[place])):
        if p[place] * (len(p) - step) > alpha:
            break
        rejected[place] = True
    return rejected


def test_by_hand():
    # Smallest × 4, next × 3, next × 2, last × 1; none below the one before it.
    assert holm(np.array([0.005, 0.011, 0.02, 0.9])).tolist() == pytest.approx([0.02, 0.033, 0.04, 0.9])
    assert holm(np.array([0.04, 0.03])).tolist() == [0.06, 0.06]


def test_one_none_and_missing():
    assert holm(np.array([0.2])).tolist() == [0.2]
    assert holm(np.array([])).tolist() == []
    corrected = holm(np.array([np.nan, 0.01, np.nan, 0.02]))
    np.testing.assert_array_equal(corrected, [np.nan, 0.02, np.nan, 0.02])


@given(P_VALUES, st.floats(0.001, 0.5))
def test_rejects_what_the_step_down_rule_rejects(p, alpha):
    assert (holm(p) <= alpha).tolist() == rejected_one_by_one(p, alpha=alpha)


@given(P_VALUES)
def test_lies_between_p_and_bonferroni_and_keeps_the_order(p):
    corrected = holm(p)
    assert np.all(corrected >= p)
    # Bonferroni's correction is a bound for the family; a single value may only follow a smaller p's.
    assert np.all(corrected <= np.minimum(1.0, np.maximum.accumulate(np.sort(p) * len(p))[np.argsort(np.argsort(p))]))
    assert np.all(np.diff(corrected[np.argsort(p, kind="stable")]) >= 0)


@given(P_VALUES, st.randoms(use_true_random=False))
def test_order_of_comparisons_does_not_matter(p, random):
    order = np.array(random.sample(range(len(p)), len(p)), np.int64)
    np.testing.assert_array_equal(holm(p[order]), holm(p)[order])


def test_errs_rarely_when_nothing_differs():
    # 2,000 families of 20 true hypotheses: 5 % of families, not of comparisons, have a false rejection.
    p = np.random.default_rng(0).random((2000, 20))
    assert 0.03 < np.mean([holm(family).min() <= 0.05 for family in p]) < 0.07


@pytest.mark.parametrize("p", [np.array([1.2]), np.array([-0.1]), np.zeros((2, 2))])
def test_refuses_what_is_no_p(p):
    with pytest.raises(ShapeError, match="p-values must be one row of numbers between 0 and 1"):
        holm(p)
