import numpy as np
import pytest

from aisle.core.ranking import Ranking
from aisle.evaluation import Change, biggest_changes

NAN = np.nan


def rank(rows) -> Ranking:
    return Ranking(np.array(rows, np.int64), np.zeros(np.shape(rows), np.float32))


# Lamp wants 0 and 1, dress wants 2, phone nothing.
FIRST = rank([[0, 5, 6, 1], [7, 8, 9, 4], [3, 4, 5, 6]])
SECOND = rank([[6, 7, 0, 1], [2, 8, 9, 4], [3, 4, 5, 6]])


def changes(qrels, difference, num_changes=5):
    return biggest_changes(
        FIRST, SECOND, qrels, difference=np.array(difference), min_grade=1.0, num_changes=num_changes
    )


def test_what_was_missed_and_what_came_instead(qrels):
    wins, losses = changes(qrels, [-0.5, 1.0, NAN])
    assert wins == [Change(1, 1.0, 2, None, 1, (7, 8, 9))]
    # 0 fell from the first place to the third; 1 stays where it was.
    assert losses == [Change(0, -0.5, 0, 1, 3, (6, 7))]


def test_the_largest_come_first_and_no_more_than_asked_for(qrels):
    wins, losses = changes(qrels, [0.2, 0.7, NAN])
    assert [change.query for change in wins] == [1, 0]
    assert losses == []
    assert [change.query for change in changes(qrels, [0.2, 0.7, NAN], num_changes=1)[0]] == [1]
    assert changes(qrels, [0.0, 0.0, NAN]) == ([], [])


@pytest.mark.parametrize("num_changes", [0])
def test_none_are_told_where_none_are_wanted(qrels, num_changes):
    assert changes(qrels, [0.2, -0.7, NAN], num_changes=num_changes) == ([], [])
