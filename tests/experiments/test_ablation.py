import numpy as np
import pytest

from aisle.core.errors import ShapeError
from aisle.evaluation import bootstrap_intervals, holm, paired_test
from aisle.experiments import ALL, RowRuns, compare_rows

NUM = 60
HEAD = np.arange(NUM) < 20


def runs_of(rng, *, seeds=2, missing=(3,), lift=0.0):
    """Values of one row: two measures of `truth`, NaN where nothing is to be found."""
    made = []
    for _ in range(seeds):
        values = {name: rng.random(NUM) + lift for name in ("R@100", "nDCG@10")}
        for column in values.values():
            column[list(missing)] = np.nan
        made.append({"truth": values})
    return made


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    return [
        RowRuns("base", runs_of(rng, lift=0.5)),
        RowRuns("worse", runs_of(rng, seeds=3), baseline="base"),
        RowRuns("same", runs_of(rng, seeds=1), baseline="base", is_baseline=True),
        RowRuns("near", runs_of(rng, lift=0.5), baseline="worse"),
    ]


def mean_of(row, measure="R@100"):
    return np.mean([run["truth"][measure] for run in row.by_seed], axis=0)


def test_a_case_to_check_by_eye():
    better = RowRuns(
        "a", [{"log": {"R@10": np.array([1.0, 0.0, np.nan])}}, {"log": {"R@10": np.array([0.5, 1.0, np.nan])}}]
    )
    other = RowRuns("b", [{"log": {"R@10": np.array([0.0, 0.5, np.nan])}}], baseline="a")
    first, second = compare_rows([better, other], {"log": {"tail": np.array([False, True, True])}}, seed=0)
    whole, tail = first.results["log"][ALL]["R@10"], first.results["log"]["tail"]["R@10"]
    assert (whole.value, whole.seeds) == (0.625, (0.5, 0.75))
    assert (tail.value, tail.seeds) == (0.5, (0.0, 1.0))
    assert np.isnan(tail.low)
    assert whole.compared is None
    compared = second.results["log"][ALL]["R@10"].compared
    # Differences 0.75 and 0: of the four ways to give them signs, all lie as far from 0.
    assert (compared.difference, compared.p) == (0.375, 1.0)


def test_figures_are_those_of_evaluation(rows):
    found = {row.runs.name: row.results["truth"] for row in compare_rows(rows, {"truth": {"head": HEAD}}, seed=4)}
    counted = np.arange(NUM) != 3
    for name, mask in {ALL: counted, "head": counted & HEAD}.items():
        base, worse = (mean_of(row)[mask][:, None] for row in rows[:2])
        low, high = bootstrap_intervals(worse, seed=4)
        cell = found["worse"][name]["R@100"]
        assert (cell.value, cell.low, cell.high) == pytest.approx((worse.mean(), low[0], high[0]))
        test = paired_test(base, worse, seed=4)
        assert (cell.compared.difference, cell.compared.low, cell.compared.high) == pytest.approx(
            (test.difference[0], test.low[0], test.high[0])
        )
        assert cell.compared.p == pytest.approx(test.p[0], abs=0.02)


def test_p_is_corrected_over_rows_and_apart_over_slices(rows):
    slices = {"head": HEAD, "tail": ~HEAD}
    found = [row.results["truth"] for row in compare_rows(rows, {"truth": slices}, seed=0)]
    compared = [found[place] for place in (1, 3)]
    headline = [one[ALL]["R@100"].compared for one in compared]
    assert [one.p_holm for one in headline] == pytest.approx(holm(np.array([one.p for one in headline])))
    parts = [one[name]["nDCG@10"].compared for name in slices for one in compared]
    assert [one.p_holm for one in parts] == pytest.approx(holm(np.array([one.p for one in parts])))
    assert any(one.p_holm > one.p for one in parts)


def test_nothing_is_compared_with_itself(rows):
    found = {row.runs.name: row.results["truth"][ALL]["R@100"] for row in compare_rows(rows, {"truth": {}}, seed=0)}
    assert found["base"].compared is None
    assert found["same"].compared is None
    # "near" is compared with "worse", which lies below it.
    assert found["near"].compared.difference < 0 < found["worse"].compared.difference


def test_a_slice_in_which_nothing_is_to_be_found_is_left_out(rows):
    slices = {"nobody": np.zeros(NUM, bool), "only missing": np.arange(NUM) == 3}
    found = compare_rows(rows, {"truth": slices}, seed=0)
    assert all(set(row.results["truth"]) == {ALL} for row in found)


def test_rows_of_other_searches_are_refused(rows):
    with pytest.raises(ShapeError, match="Slices must be of the searches that were measured"):
        compare_rows(rows, {"truth": {"head": HEAD[:-1]}}, seed=0)
    rng = np.random.default_rng(1)
    other = RowRuns("other", runs_of(rng, missing=(4,)), baseline="base")
    with pytest.raises(ShapeError, match="All rows must be measured on the same searches"):
        compare_rows([*rows, other], {"truth": {}}, seed=0)
