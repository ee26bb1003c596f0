import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import ConfigError
from aisle.tables import STAGE_GRADES, Stage, parse_grades


def test_a_stage_begins_at_its_grade():
    stages = parse_grades("ordered=3, clicked=2.33").stage_of(np.array([0, 2.32, 2.33, 2.99, 3, 9]))
    assert stages.tolist() == [Stage.SHOWN, Stage.SHOWN, Stage.CLICKED, Stage.CLICKED, Stage.ORDERED, Stage.ORDERED]


def test_nan_is_shown_and_nothing_is_nothing():
    grades = parse_grades("clicked=1")
    assert grades.stage_of(np.array([np.nan])).tolist() == [Stage.SHOWN]
    assert grades.stage_of(np.array([])).shape == (0,)


def test_negative_thresholds_hold():
    assert parse_grades("clicked=-1").stage_of(np.array([-2.0, -1.0])).tolist() == [Stage.SHOWN, Stage.CLICKED]


@given(st.lists(st.floats(-5, 5), max_size=20))
def test_agrees_with_one_grade_at_a_time(grades):
    thresholds = {Stage.CLICKED: -1.0, Stage.CARTED: 0.5, Stage.ORDERED: 3.0}
    slow = [max((stage for stage, begin in thresholds.items() if grade >= begin), default=0) for grade in grades]
    mapped = parse_grades("clicked=-1,carted=0.5,ordered=3").stage_of(np.array(grades))
    assert mapped.tolist() == slow


def test_training_grades_never_fall_with_the_stage():
    assert [STAGE_GRADES[stage] for stage in Stage] == [1, 2, 3, 3, 4]


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("bought=3", ["'bought' is no stage"]),
        ("clicked=x,ordered=nan", ["'clicked=x' gives no finite grade", "'ordered=nan' gives no finite grade"]),
        ("clicked=3,ordered=2", ["ordered must begin at a higher grade than clicked"]),
        ("clicked=3,ordered=3", ["ordered must begin at a higher grade than clicked"]),
        ("clicked=1,clicked=2", ["clicked stands twice"]),
        ("shown=0,clicked", ["shown has no grade of its own", "'clicked' gives no finite grade"]),
        ("", ["no stage is named"]),
    ],
)
def test_every_problem_is_told_at_once(text, messages):
    with pytest.raises(ConfigError) as caught:
        parse_grades(text)
    for message in messages:
        assert message in str(caught.value)
