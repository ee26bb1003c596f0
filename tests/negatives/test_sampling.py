import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import UsageError
from aisle.losses import sampled_softmax_loss
from aisle.negatives import UniformNegatives, in_batch_log_count, mask_copies, products_on_sale


def test_log_count_by_eye():
    log_count = in_batch_log_count(np.array([1.0, 3.0]), 8)
    assert np.exp(log_count).tolist() == pytest.approx([2.0, 6.0])
    assert log_count.dtype == np.float32


def test_counts_add_up_to_the_batch_and_ignore_the_scale():
    frequency = np.random.default_rng(0).uniform(0.1, 5.0, 1000)
    log_count = in_batch_log_count(frequency, 512)
    assert np.exp(log_count.astype(np.float64)).sum() == pytest.approx(512, rel=1e-5)
    np.testing.assert_allclose(in_batch_log_count(frequency * 1e6, 512), log_count, rtol=1e-5, atol=1e-6)


def test_a_product_that_is_never_drawn_counts_as_the_rarest():
    log_count = in_batch_log_count(np.array([0.0, 1.0, 99.0]), 100)
    assert np.exp(log_count).tolist() == pytest.approx([1.0, 1.0, 99.0])


def test_integer_counts_are_frequencies():
    assert np.exp(in_batch_log_count(np.array([1, 1]), 4)).tolist() == pytest.approx([2.0, 2.0])


def test_expected_count_is_what_a_shuffled_epoch_shows():
    pairs = np.repeat(np.arange(4), [1, 2, 5, 12])
    rng = np.random.default_rng(1)
    batches = np.stack([rng.permutation(pairs)[:6] for _ in range(4000)])
    shown = np.bincount(batches.ravel(), minlength=4) / len(batches)
    expected = np.exp(in_batch_log_count(np.array([1.0, 2.0, 5.0, 12.0]), 6))
    # Standard error of a count below 6 over 4,000 batches is at most 1.2 / sqrt(4000) = 0.02.
    np.testing.assert_allclose(shown, expected, atol=0.08)


def test_in_batch_loss_estimates_the_full_partition_sum():
    """Copies masked, the others corrected by the expected count among batch_size − 1 columns."""
    temperature, batch_size, num_trials, own = 0.5, 24, 4000, 1
    rng = np.random.default_rng(5)
    score = torch.from_numpy(rng.uniform(-0.5, 1.0, 30))
    frequency = 1 / np.arange(1, 31)
    log_count = torch.from_numpy(in_batch_log_count(frequency, batch_size - 1))
    batches = rng.choice(30, size=(num_trials, batch_size), p=frequency / frequency.sum())
    batches[:, 0] = own

    def estimate(columns):
        loss = sampled_softmax_loss(
            score[own].unsqueeze(0),
            score[columns].unsqueeze(0),
            temperature=temperature,
            masked=mask_copies(columns, torch.tensor([own])),
            log_sampling=log_count[columns],
        )
        return torch.exp(loss + score[own] / temperature).item()

    estimates = np.array([estimate(torch.from_numpy(columns)) for columns in batches])
    full = torch.exp(score / temperature).sum().item()
    standard_error = estimates.std() / math.sqrt(num_trials)
    assert standard_error < 0.01 * full
    assert abs(estimates.mean() - full) < 4 * standard_error


def test_batches_of_one_slice_take_the_slices_own_frequency():
    """A product that sold in one slice alone: with the frequency of the whole log the sum would be wrong in both."""
    positives = {"early": np.repeat([0, 1, 2, 3], [60, 20, 15, 5]), "late": np.repeat([0, 1, 2, 3], [5, 15, 20, 60])}
    score = torch.tensor([0.9, 0.1, -0.3, -0.8], dtype=torch.float64)
    everywhere = np.bincount(np.concatenate(list(positives.values())), minlength=4) / 200
    rng = np.random.default_rng(6)
    for slice_positives in positives.values():
        probability = (np.bincount(slice_positives, minlength=4) / 100).astype(np.float32)
        columns = np.stack([rng.permutation(slice_positives)[:20] for _ in range(2000)])

        def mean_sum(frequency, columns=columns):
            log_count = torch.from_numpy(in_batch_log_count(frequency, 20))
            # The positive scores 0 and is none of the four, so e^loss − 1 is the sum over the columns.
            loss = sampled_softmax_loss(
                torch.zeros(len(columns), dtype=torch.float64),
                score[columns],
                temperature=1.0,
                log_weight=-log_count[columns],
            )
            return torch.expm1(loss).mean().item()

        full = torch.exp(score).sum().item()
        assert mean_sum(probability) == pytest.approx(full, rel=0.02)
        assert abs(mean_sum(everywhere) - full) > 0.2 * full


@pytest.mark.parametrize("frequency", [[-1.0, 2.0], [math.nan, 1.0], [math.inf, 1.0], [0.0, 0.0], []])
def test_refuses_frequencies(frequency):
    with pytest.raises(UsageError, match=r"Frequencies must be finite, at least 0, and not all 0\. Received"):
        in_batch_log_count(np.array(frequency), 8)


def test_refuses_an_empty_batch():
    with pytest.raises(UsageError, match=r"batch_size must be at least 1\. Received: batch_size=0"):
        in_batch_log_count(np.ones(2), 0)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 200), st.integers(1, 300), st.integers(0, 2**32))
def test_draws_distinct_products_of_the_catalogue(num_products, num_negatives, seed):
    drawn = UniformNegatives(num_products, num_negatives).draw(np.random.default_rng(seed))
    assert drawn.dtype == np.int64
    assert len(drawn) == len(set(drawn.tolist())) == min(num_products, num_negatives)
    assert drawn.min() >= 0
    assert drawn.max() < num_products


def test_every_product_is_drawn_equally_often():
    sampler, rng = UniformNegatives(20, 5), np.random.default_rng(2)
    counts = np.bincount(np.concatenate([sampler.draw(rng) for _ in range(4000)]), minlength=20)
    # Each is expected 1,000 times with a standard deviation of sqrt(4000 · 0.25 · 0.75) = 27.
    assert np.abs(counts - 1000).max() < 5 * 27


def test_draws_differ_and_repeat_under_the_seed():
    sampler, first, again = UniformNegatives(1000, 10), np.random.default_rng(3), np.random.default_rng(3)
    draws = [sampler.draw(first).tolist() for _ in range(3)]
    assert draws == [sampler.draw(again).tolist() for _ in range(3)]
    assert draws[0] != draws[1]


def test_only_allowed_products_are_drawn():
    sampler, rng = UniformNegatives(100, 3, allowed=np.array([90, 7, 7, 30, 50])), np.random.default_rng(4)
    draws = [sampler.draw(rng) for _ in range(50)]
    assert {len(np.unique(drawn)) for drawn in draws} == {3}
    assert set(np.concatenate(draws).tolist()) == {7, 30, 50, 90}


def test_fewer_allowed_than_wanted():
    sampler = UniformNegatives(100, 8, allowed=np.array([3, 1]))
    assert sorted(sampler.draw(np.random.default_rng(4)).tolist()) == [1, 3]


@pytest.mark.parametrize(("num_products", "num_negatives"), [(0, 1), (1, 0), (3, -1)])
def test_refuses_numbers(num_products, num_negatives):
    with pytest.raises(UsageError, match="num_products and num_negatives must be at least 1"):
        UniformNegatives(num_products, num_negatives)


@pytest.mark.parametrize("allowed", [[-1, 2], [5]])
def test_refuses_products_outside_the_catalogue(allowed):
    with pytest.raises(UsageError, match=r"Allowed products must be indices from 0 to 4\. Received: least="):
        UniformNegatives(5, 2, allowed=np.array(allowed))


def test_refuses_to_draw_from_nothing():
    with pytest.raises(UsageError, match="At least one product must be allowed"):
        UniformNegatives(5, 2, allowed=np.array([], dtype=np.int64))


def times(*values):
    return np.array(values, "datetime64[us]")


def test_on_sale_from_creation_until_removal():
    created = times("2024-01-01", "2024-01-01", "2024-06-01", "NaT", "NaT", "NaT")
    removed = times("NaT", "2024-03-01", "NaT", "2024-03-01", "NaT", "2024-02-29T23:59")

    def at(time):
        return products_on_sale(created, removed, at=np.datetime64(time)).tolist()

    assert at("2023-12-31") == [3, 4, 5]
    assert at("2024-01-01") == [0, 1, 3, 4, 5]
    assert at("2024-02-29T23:59") == [0, 1, 3, 4]
    assert at("2024-03-01") == [0, 4]
    assert at("2024-06-01") == [0, 2, 4]


def test_uniform_negatives_are_on_sale():
    rng = np.random.default_rng(8)
    created = np.datetime64("2024-01-01") + rng.integers(0, 300, 500).astype("timedelta64[D]")
    removed = created + rng.integers(1, 100, 500).astype("timedelta64[D]")
    at = np.datetime64("2024-06-01")
    drawn = UniformNegatives(500, 64, allowed=products_on_sale(created, removed, at=at)).draw(rng)
    assert (created[drawn] <= at).all()
    assert (removed[drawn] > at).all()
