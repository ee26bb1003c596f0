import json
import shutil

import pytest

from aisle.core.errors import WorkspaceError
from aisle.pipelines.comparing import compare_systems
from aisle.pipelines.evaluating import evaluate_systems
from aisle.pipelines.kept_outcomes import (
    COMPARISONS,
    EVALUATIONS,
    keep_comparison,
    keep_evaluation,
    read_outcomes,
)
from aisle.pipelines.questions import Asked

ASKED = Asked(min_grade=3)


@pytest.fixture
def shop(shop):
    """The small shop without what other tests kept in it."""
    for folder in (EVALUATIONS, COMPARISONS):
        shutil.rmtree(shop.path / folder, ignore_errors=True)
    return shop


@pytest.fixture
def evaluated(shop):
    return evaluate_systems(shop, systems=["lexical"], min_grade=3)


def test_an_evaluation_comes_back_as_it_was(shop, evaluated):
    assert read_outcomes(shop, EVALUATIONS) == []
    path = keep_evaluation(shop, evaluated, settings={"split": "test"}, seed=4)
    assert path == shop.path / EVALUATIONS / "judgments-test"
    [kept] = read_outcomes(shop, EVALUATIONS)
    told = json.loads(json.dumps(evaluated.as_dict()))
    assert {name: kept.values[name] for name in told if name != "files"} == {
        name: value for name, value in told.items() if name != "files"
    }
    assert kept.values["systems"]["lexical"].keys() == set(kept.values["measures"])
    assert (kept.name, kept.manifest.seed) == ("judgments-test", 4)
    assert kept.manifest.inputs["index"] == shop.manifest("index").content
    assert EVALUATIONS not in shop.names()


def test_the_last_of_a_name_is_kept(shop, evaluated):
    keep_evaluation(shop, evaluated, settings={"split": "test"})
    keep_evaluation(shop, evaluated, settings={"split": "validation"})
    again = evaluate_systems(shop, systems=["lexical"], min_grade=2)
    keep_evaluation(shop, again, settings={"split": "test"})
    kept = {one.name: one.values["min_grade"] for one in read_outcomes(shop, EVALUATIONS)}
    assert kept == {"judgments-test": 2.0, "judgments-validation": 3.0}


def test_comparisons_are_told_apart_by_what_was_compared(shop, tmp_path):
    outcome = compare_systems(shop, "lexical", "semantic", asked=ASKED, num_changes=1)
    path = keep_comparison(shop, outcome, asked=ASKED, num_changes=1)
    assert path.name == "lexical-vs-semantic-judgments-test"
    evaluate_systems(shop, systems=["semantic"], min_grade=3, run=tmp_path / "a run.trec")
    outcome = compare_systems(shop, "lexical", str(tmp_path / "a run.trec"), asked=ASKED, num_changes=1)
    other = keep_comparison(shop, outcome, asked=ASKED, num_changes=1)
    assert other.name.startswith("lexical-vs-a_run.trec-")
    assert [one.values["first"] for one in read_outcomes(shop, COMPARISONS)] == ["lexical", "lexical"]


def test_a_file_that_was_changed_by_hand_is_refused(shop, evaluated):
    path = keep_evaluation(shop, evaluated, settings={"split": "test"})
    (path / "outcome.json").write_text("{}", encoding="utf-8")
    with pytest.raises(WorkspaceError, match=r"outcome\.json"):
        read_outcomes(shop, EVALUATIONS)
