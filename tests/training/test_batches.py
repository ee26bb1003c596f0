import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.core.text import words
from aisle.features import product_text
from aisle.training import TrainingPairs
from aisle.training.batches import BatchMaker


def maker(data, *, batch_size=16, num_uniform=24, log_q=True, seed=3):
    return BatchMaker(data, batch_size=batch_size, num_uniform=num_uniform, log_q=log_q, seed=seed)


def assert_same(one, other):
    for name, value in vars(one).items():
        np.testing.assert_array_equal(np.asarray(value), np.asarray(getattr(other, name)), err_msg=name)


@pytest.fixture(scope="module")
def skewed(write_data):
    """Queries of one or two words over few products: copies, known positives and matching products abound."""
    rng = np.random.default_rng(5)
    texts = rng.choice(["red", "sofa", "red sofa", "blue", "wool", "norvik", "zebra", "?"], 90)
    product = np.minimum(rng.geometric(0.08, 90) - 1, 119)
    return write_data(pairs=TrainingPairs.from_texts(pa.array(texts), product, rng.random(90).astype(np.float32)))


def test_a_step_is_the_same_batch_in_any_order_and_for_any_maker(data):
    steps = [0, 9, 3, 20, 3, 0]
    first, second = maker(data), maker(data)
    seen = {step: first.batch(step) for step in sorted(set(steps))}
    for step in steps:
        assert_same(second.batch(step), seen[step])


def test_another_seed_or_step_is_another_batch(data):
    one = maker(data).batch(0)
    for other in (maker(data, seed=4).batch(0), maker(data).batch(1)):
        assert one.product_index.tolist() != other.product_index.tolist()
        assert one.uniform_index.tolist() != other.uniform_index.tolist()


def test_an_epoch_meets_each_pair_at_most_once_and_nearly_all(data, alias_pairs):
    batches = maker(data, batch_size=16)
    assert batches.steps_per_epoch == 120 // 16
    known = dict(zip(zip(alias_pairs.query_index, alias_pairs.product_index, strict=True), range(120), strict=True))
    orders = []
    for epoch in range(3):
        drawn = [batches.batch(epoch * 7 + place) for place in range(7)]
        rows = [
            known[pair]
            for one in drawn
            for pair in zip(one.query_index.tolist(), one.product_index.tolist(), strict=True)
        ]
        weights = np.concatenate([one.weight for one in drawn])
        np.testing.assert_array_equal(weights, alias_pairs.weight[rows])
        assert len(set(rows)) == len(rows) == 112
        orders.append(rows)
    assert orders[0] != orders[1] != orders[2]
    assert set(orders[0]) | set(orders[1]) | set(orders[2]) == set(range(120))


def test_masks_agree_with_sets(skewed, products):
    batches = maker(skewed, batch_size=30, num_uniform=40)
    texts = skewed.pairs.queries.to_pylist()
    held = [set(words(text)) for text in product_text(products).joined().to_pylist()]
    positives = set(zip(skewed.pairs.query_index.tolist(), skewed.pairs.product_index.tolist(), strict=True))
    reasons = np.zeros(3, int)
    for step in range(6):
        batch = batches.batch(step)
        for columns, masked in (
            (batch.product_index, batch.batch_masked),
            (batch.uniform_index, batch.uniform_masked),
        ):
            expected = np.zeros(masked.shape, bool)
            for row, (query, own) in enumerate(zip(batch.query_index, batch.product_index, strict=True)):
                wanted = set(words(texts[query]))
                for column, product in enumerate(columns):
                    why = (
                        product == own,
                        (query, product) in positives,
                        bool(wanted) and wanted <= held[product],
                    )
                    expected[row, column] = any(why)
                    reasons += [why[0], why[1] and not why[0], why[2] and not (why[0] or why[1])]
            np.testing.assert_array_equal(masked.numpy(), expected)
            assert not masked.all()
    assert (reasons > 0).all()


def test_own_column_is_masked(data):
    assert maker(data).batch(2).batch_masked.diagonal().all()


def test_log_sampling_is_the_expected_number_of_columns(write_data):
    pairs = TrainingPairs.from_texts(pa.array(["a", "b", "c", "d"]), np.array([5, 5, 5, 9]), np.ones(4, np.float32))
    batch = maker(write_data(pairs=pairs), batch_size=2).batch(0)
    # Product 5 is drawn in 3 of 4 pairs, product 9 in 1 of 4; a batch has 2 columns.
    expected = [{5: 1.5, 9: 0.5}[product] for product in batch.product_index.tolist()]
    assert batch.log_sampling.exp().tolist() == pytest.approx(expected)
    assert batch.log_sampling.dtype == torch.float32


def test_without_correction_there_is_no_log_sampling(data):
    assert maker(data, log_q=False).batch(0).log_sampling is None


def test_fewer_pairs_than_a_batch_are_one_batch(data):
    batches = maker(data, batch_size=1000)
    assert (batches.batch_size, batches.steps_per_epoch) == (120, 1)
    for step in (0, 1):
        assert sorted(batches.batch(step).product_index.tolist()) == list(range(120))
    np.testing.assert_allclose(batches.batch(0).log_sampling, 0.0, atol=1e-6)


def test_no_uniform_columns_where_they_are_off(data):
    batch = maker(data, num_uniform=0).batch(0)
    assert len(batch.uniform_index) == 0
    assert batch.uniform_masked.shape == (16, 0)
    assert batch.batch_masked.shape == (16, 16)


def test_uniform_columns_are_distinct_products_and_at_most_the_catalogue(data):
    few = maker(data, num_uniform=24).batch(1).uniform_index
    assert len(set(few.tolist())) == 24
    assert few.min() >= 0
    assert few.max() < 120
    every = maker(data, num_uniform=500)
    assert every.num_uniform == 120
    assert sorted(every.batch(1).uniform_index.tolist()) == list(range(120))


def test_uniform_columns_are_drawn_evenly(data):
    batches = maker(data, num_uniform=30)
    drawn = np.bincount(np.concatenate([batches._uniform(step) for step in range(400)]), minlength=120)
    # 400 draws at a chance of 1/4: five standard errors are 5 · sqrt(400 · 3/16) = 43.
    assert np.abs(drawn - 100).max() < 43
