import json

import numpy as np
import pytest

from aisle.evaluation import compare_values, holm, paired_test
from aisle.evaluation.comparison import ALL

NAN = np.nan
FIRST = {"R@10": np.array([0.0, 0.5, 1.0, NAN]), "MRR": np.array([1.0, 1.0, 1.0, NAN])}
SECOND = {"R@10": np.array([1.0, 1.0, 1.0, NAN]), "MRR": np.array([0.5, 0.5, 0.5, NAN])}
COUNTED = np.array([True, True, True, False])
SLICES = {"head": np.array([True, True, False, True]), "none": np.array([False, False, False, True])}


@pytest.fixture(scope="module")
def compared():
    return compare_values(FIRST, SECOND, is_counted=COUNTED, slices=SLICES, seed=1)


def test_means_and_differences_by_eye(compared):
    assert compared.num_queries == {ALL: 3, "head": 2, "none": 0}
    assert list(compared.rows) == [ALL, "head", "none"]
    whole = compared.rows[ALL]["R@10"]
    assert (whole.first, whole.second, whole.difference) == (0.5, 1.0, 0.5)
    assert (whole.low, whole.high, whole.p) == (0.0, 1.0, 0.5)
    assert compared.rows["head"]["MRR"].difference == -0.5


def test_p_values_are_corrected_over_all_measures_and_slices(compared):
    own = [row[measure].p for row in compared.rows.values() for measure in row]
    corrected = [row[measure].corrected_p for row in compared.rows.values() for measure in row]
    np.testing.assert_array_equal(corrected, holm(np.array(own)))
    assert compared.num_tests == 4
    sure = np.zeros(60)
    many = compare_values(
        {"R@10": sure}, {"R@10": sure + 1.0}, is_counted=sure == 0, slices={"head": np.arange(60) < 30}, seed=1
    )
    p = float(paired_test(sure[:, None] + 1.0, sure[:, None], seed=1).p[0])
    assert many.rows[ALL]["R@10"].corrected_p == pytest.approx(2 * p)


def test_a_slice_without_queries_has_no_figures_and_counts_as_no_test(compared):
    plain = compared.as_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain
    assert plain["slices"]["none"]["queries"] == 0
    assert set(plain["slices"]["none"]["measures"]["MRR"].values()) == {None}
