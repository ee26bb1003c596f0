import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import TableError
from aisle.mining.windows import (
    FOREVER,
    MOST_SLICES,
    NO_SPLIT,
    TEST,
    TRAIN,
    VALIDATION,
    continue_windows,
    find_windows,
)


def windows(times, split=None, **settings):
    settings = {"num_slices": 4, "validation_share": 0.1, "test_share": 0.1} | settings
    split = [NO_SPLIT] * len(times) if split is None else split
    return find_windows(np.array(times, np.int64), np.array(split, np.int8), **settings)


def test_a_hundred_searches_in_order():
    found = windows(range(100))
    assert found.test_from == 90
    assert found.validation_from == found.train_end == 81
    assert found.snapshot_times == (20, 40, 60, 81)
    assert found.validation_until == 90
    assert found.num_slices == 4


def test_the_order_of_the_rows_does_not_matter():
    assert windows(np.random.default_rng(0).permutation(100)) == windows(range(100))


def test_one_search_with_a_broken_clock_moves_no_boundary():
    assert windows([*range(99), 10**15]) == windows(range(100))


def test_named_splits_are_kept_and_validation_is_the_last_of_training():
    split = [TRAIN] * 80 + [TEST] * 20
    found = windows(range(100), split)
    assert (found.test_from, found.train_end) == (80, 72)
    split = [TRAIN] * 50 + [VALIDATION] * 20 + [TEST] * 30
    found = windows(range(100), split)
    assert (found.train_end, found.validation_from, found.test_from) == (50, FOREVER, 70)
    assert found.validation_until == 70


def test_without_test_rows_nothing_is_test_and_validation_is_labelled_by_all():
    found = windows(range(100), [TRAIN] * 100)
    assert (found.test_from, found.validation_until, found.train_end) == (FOREVER, FOREVER, 90)
    assert found.as_dict()["test_from"] is None


def test_validation_beside_test_is_labelled_by_all():
    split = [TRAIN] * 50 + [VALIDATION, TEST] * 25
    assert windows(range(100), split).validation_until == FOREVER


def test_what_trains_lies_before_all_that_is_held_out():
    split = [TRAIN] * 60 + [TEST] + [TRAIN] * 39
    assert windows(range(100), split).train_end <= 60


def test_splits_drawn_at_random_are_refused():
    with pytest.raises(TableError, match=r"follow each other in time.*=80.*=76.*without the column"):
        windows(range(100), [TRAIN] * 4 + [TEST] * 20 + [TRAIN] * 76)


def test_boundaries_lie_between_distinct_times():
    found = windows([0] * 40 + [1] * 20 + [2] * 20 + [3] * 20)
    assert set(found.snapshot_times) | {found.test_from} <= {1, 2, 3}
    assert found.snapshot_times[-1] < found.test_from


def test_as_dict_holds_times_for_people():
    assert windows(range(100)).as_dict()["train_end"] == "1970-01-01T00:00:00.000081Z"


def test_no_search_is_refused():
    with pytest.raises(TableError, match="must hold searches"):
        windows([])


def test_a_single_time_is_refused_with_the_reason():
    with pytest.raises(TableError, match=r"more than one time.*searches=5"):
        windows([7] * 5)


def test_training_in_one_instant_is_refused_with_the_reason():
    with pytest.raises(TableError, match=r"training window must span more than one time.*training_searches=8"):
        windows([1] * 8 + [2, 3])


@settings(deadline=None)
@given(
    times=st.lists(st.integers(0, 30), min_size=3, max_size=60),
    num_slices=st.integers(2, 8),
    test_share=st.floats(0.01, 0.5),
)
def test_windows_are_ordered_and_slices_are_nearly_equal(times, num_slices, test_share):
    try:
        found = windows(times, num_slices=num_slices, test_share=test_share)
    except TableError:
        assert len(set(times)) < len(times) or len(times) < 10
        return
    bounds = [min(times), *found.snapshot_times]
    assert bounds == sorted(set(bounds))
    assert found.train_end <= found.validation_from <= found.test_from
    assert found.num_slices <= num_slices
    training = [time for time in times if time < found.train_end]
    sizes = np.histogram(training, bins=bounds)[0] if training else []
    largest_tie = max(times.count(time) for time in times)
    assert max(sizes) <= len(training) / num_slices + largest_tie + 1 or found.num_slices < num_slices


def continued(mined, times, split=None):
    split = [NO_SPLIT] * len(times) if split is None else split
    shares = {"validation_share": 0.1, "test_share": 0.1}
    return continue_windows(mined, np.array(times, np.int64), np.array(split, np.int8), **shares)


def test_what_joins_the_training_window_is_one_slice_and_the_held_out_windows_move():
    mined = windows(range(100))
    found = continued(mined, range(110))
    assert found.snapshot_times == (*mined.snapshot_times, 90)
    assert (found.validation_from, found.test_from, found.validation_until) == (90, 99, 99)
    whole = windows(range(110))
    assert (found.train_end, found.test_from) == (whole.train_end, whole.test_from)


def test_what_joins_in_a_long_time_is_cut_into_slices_of_about_the_usual_size():
    found = continued(windows(range(100)), range(200))
    # 81 searches joined 81 in four slices.
    assert found.snapshot_times == (20, 40, 60, 81, 101, 121, 141, 162)


def test_named_splits_move_only_where_they_are_named():
    split = [TRAIN] * 80 + [VALIDATION] * 10 + [TEST] * 10
    mined = windows(range(100), split)
    assert continued(mined, range(110), [*split, *[TEST] * 10]) == mined


def test_a_training_window_that_ends_earlier_is_refused():
    with pytest.raises(TableError, match="must end no earlier than before"):
        continued(windows(range(200)), range(100))


def test_more_slices_than_can_be_numbered_are_refused():
    mined = windows(range(2000), num_slices=MOST_SLICES)
    with pytest.raises(TableError, match=r"at most 100 slices.*slices=101.*cuts the window anew"):
        continued(mined, range(2010))
