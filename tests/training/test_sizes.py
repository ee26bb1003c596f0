import pytest

from aisle.training.loss_config import DynamicConfig
from aisle.training.sizes import LEAST_BATCH, make_batches, num_epochs, validation_interval


def sizes_of(data, config):
    batches = make_batches(data, config, seed=1)
    epochs = num_epochs(batches, config)
    return batches.batch_size, epochs, epochs * batches.steps_per_epoch


@pytest.mark.parametrize("min_steps", [1, 21])
def test_a_run_that_is_long_enough_is_as_set(data, make_config, min_steps):
    """120 pairs in batches of 16 are 7 steps an epoch, 21 in three."""
    assert sizes_of(data, make_config(min_steps=min_steps)) == (16, 3, 21)


def test_batches_that_are_small_already_stay_and_epochs_are_added(data, make_config):
    assert sizes_of(data, make_config(min_steps=22)) == (16, 4, 28)


def test_large_batches_become_smaller_before_epochs_are_added(data, make_config):
    assert sizes_of(data, make_config(batch_size=100, epochs=4, min_steps=1)) == (100, 4, 4)
    # 400 rows in 5 steps are 80 each: one a pass, so that a fifth pass is needed.
    assert sizes_of(data, make_config(batch_size=100, epochs=4, min_steps=5)) == (80, 5, 5)
    assert sizes_of(data, make_config(batch_size=100, epochs=4, min_steps=300)) == (LEAST_BATCH, 300, 300)


def test_a_log_is_cut_smaller_too(log_data, make_config):
    data, _ = log_data()
    whole, fewer = (sizes_of(data, make_config(batch_size=100, epochs=2, min_steps=least)) for least in (1, 40))
    assert whole[0] == 100 > fewer[0] == LEAST_BATCH
    assert whole[2] < 40 <= fewer[2]


def test_a_smaller_batch_shares_as_many_fewer_columns(log_data, make_config):
    data, _ = log_data()
    columns = {"num_uniform": 50, "num_skipped": 31, "dynamic": DynamicConfig(num_columns=3)}
    for least, uniform, skipped, dynamic in ((1, 50, 31, 3), (40, 32, 20, 2)):
        batches = make_batches(data, make_config(batch_size=100, epochs=2, min_steps=least, **columns), seed=1)
        assert (batches.num_uniform, batches.num_skipped) == (uniform, skipped)
        assert batches.config.dynamic.num_columns == dynamic
        assert len(batches.batch(0).uniform_index) == uniform


def test_added_epochs_add_no_validations(data, make_config):
    for config in (make_config(), make_config(min_steps=300)):
        batches = make_batches(data, config, seed=1)
        steps = num_epochs(batches, config) * batches.steps_per_epoch
        assert steps // validation_interval(batches, config) in {6, 7}
