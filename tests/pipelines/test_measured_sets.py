import numpy as np
import pytest

from aisle.core.errors import UsageError
from aisle.pipelines.evaluating import evaluate_systems
from aisle.pipelines.measured_sets import MeasuredOn, available_labels, measured_sets, values_per_query
from aisle.pipelines.searching import load_retrievers
from aisle.workspace import Workspace


@pytest.mark.parametrize("kind", ["log", "judgments"])
def test_values_are_those_that_evaluate_averages(learnt_shop, built_shop, kind):
    workspace = learnt_shop if kind == "log" else built_shop
    [found] = measured_sets(workspace, MeasuredOn((kind,), max_searches=10, min_grade=2.0)).values()
    evaluation = evaluate_systems(workspace, labels=kind, max_searches=10, min_grade=2.0).evaluation
    for name, retriever in load_retrievers(workspace, ["lexical", "semantic"]).items():
        values = values_per_query(found, retriever)
        assert set(values) == set(evaluation.measures)
        for measure, column in values.items():
            np.testing.assert_array_equal(column, evaluation.values[name][measure])
    assert set(found.slices) >= set(evaluation.slices) - {"repeated orders"}


def test_what_can_be_measured_on(learnt_shop, built_shop, tmp_path):
    assert available_labels(learnt_shop) == ("log",)
    assert available_labels(built_shop) == ("judgments",)
    empty = Workspace.open(tmp_path / "empty", create=True)
    with pytest.raises(UsageError, match=r"something to be measured on.*holds=\[\].*aisle mine"):
        available_labels(empty)


def test_a_grade_that_nothing_reaches_is_refused(built_shop):
    with pytest.raises(UsageError, match=r"grade --min-grade or above. Received: min_grade=99"):
        measured_sets(built_shop, MeasuredOn(("judgments",), max_searches=10, min_grade=99.0))
