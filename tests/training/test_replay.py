import numpy as np
import pytest

from aisle.core.errors import UsageError
from aisle.training.replay import Replay

SLICES = {1: np.arange(0, 400), 2: np.arange(400, 700), 3: np.arange(700, 900)}


def replay(new_from=700, *, most=128, passes=2, share=0.5, slices=SLICES):
    is_new = np.arange(1000) >= new_from
    return Replay.of(slices, is_new, most=most, passes=passes, share=share)


def test_batches_are_of_a_size_that_draws_all_new_positives():
    drawn = replay()
    # 200 new positives would leave 72 out of batches of 128.
    assert (drawn.size, drawn.num_new, drawn.num_learnt) == (100, 4, 4)
    batches = drawn.draw(np.random.default_rng(0))
    assert batches.shape == (8, 100)
    new = batches[(batches >= 700).all(axis=1)]
    assert sorted(new.ravel().tolist()) == sorted([*range(700, 900)] * 2)


def test_a_batch_is_of_one_slice_and_old_or_new():
    # Slice 2 is partly new, as where a log was mined anew.
    for batch in replay(new_from=500, most=60).draw(np.random.default_rng(1)):
        parts = {(row >= 400) + (row >= 500) + (row >= 700) for row in batch.tolist()}
        assert len(parts) == 1


def test_no_learnt_positive_is_drawn_twice_and_seeds_differ():
    one, other = (replay(share=0.6).draw(np.random.default_rng(seed)) for seed in (0, 1))
    learnt = one[one < 700]
    assert len(learnt) == 600
    assert len(set(learnt.tolist())) == 600
    assert not np.array_equal(one, other)


def test_a_share_of_none_replays_nothing_and_no_more_is_replayed_than_there_is():
    assert replay(share=0.0).num_learnt == 0
    assert replay(share=0.0).draw(np.random.default_rng(0)).min() >= 700
    assert replay(share=0.99).num_learnt == 7


def test_without_learnt_positives_the_new_ones_are_drawn_alone():
    drawn = replay(new_from=0)
    assert drawn.num_learnt == 0
    assert drawn.draw(np.random.default_rng(0)).shape == (drawn.num_new, drawn.size)


def test_too_few_new_positives_are_refused_with_their_number():
    with pytest.raises(
        UsageError, match=r"at least 64 new positives.*new_positives_by_slice=\[63\].*Wait for more days"
    ):
        replay(new_from=837)
