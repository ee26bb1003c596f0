import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import UsageError
from aisle.losses import NegativeSource, retrieval_loss
from aisle.negatives import hard_in_batch, mask_copies


def indices(*values):
    return torch.tensor(values, dtype=torch.int64)


def test_the_highest_columns_by_eye():
    scores = torch.tensor([[0.9, 0.1, 0.5, 0.3], [0.2, 0.8, 0.1, 0.7]])
    masked = torch.tensor([[True, False, False, False], [False, True, False, False]])
    source = hard_in_batch(NegativeSource("batch", scores, masked=masked), indices(1, 2, 3, 4), num_hard=2, weight=0.3)
    assert source.name == "hard_in_batch"
    assert source.weight == 0.3
    torch.testing.assert_close(source.scores, torch.tensor([[0.5, 0.3], [0.7, 0.2]]))
    assert not source.masked.any()
    assert source.log_sampling is None


def test_a_product_stands_once_however_often_it_is_in_the_batch():
    scores = torch.tensor([[0.9, 0.9, 0.9, 0.1]])
    source = hard_in_batch(NegativeSource("batch", scores), indices(5, 5, 5, 6), num_hard=3, weight=1.0)
    assert source.scores[~source.masked].tolist() == pytest.approx([0.9, 0.1])


def test_the_frequency_of_the_batch_does_not_come_along():
    batch = NegativeSource("batch", torch.zeros(1, 2), log_sampling=torch.tensor([3.0, -2.0]))
    assert hard_in_batch(batch, indices(1, 2), num_hard=2, weight=1.0).log_sampling is None


def test_column_weights_come_along_and_weight_zero_is_no_negative():
    log_weight = torch.tensor([[0.0, math.log(0.5), -math.inf]])
    batch = NegativeSource("batch", torch.tensor([[0.1, 0.2, 0.9]]), log_weight=log_weight)
    source = hard_in_batch(batch, indices(1, 2, 3), num_hard=2, weight=1.0)
    torch.testing.assert_close(source.scores, torch.tensor([[0.2, 0.1]]))
    torch.testing.assert_close(source.log_weight, torch.tensor([[math.log(0.5), 0.0]]))


def test_fewer_negatives_than_places():
    scores = torch.tensor([[0.5, 0.4, 0.3], [0.5, 0.4, 0.3]], requires_grad=True)
    masked = torch.tensor([[True, False, True], [True, True, True]])
    source = hard_in_batch(NegativeSource("batch", scores, masked=masked), indices(1, 2, 3), num_hard=8, weight=1.0)
    assert source.scores.shape == (2, 3)
    assert (~source.masked).sum(dim=1).tolist() == [1, 0]
    loss, _ = retrieval_loss(torch.zeros(2), [source], positive_weight=torch.ones(2), temperature=1.0)
    loss.backward()
    # A row without negatives has loss 0.
    assert loss.item() == pytest.approx(math.log1p(math.exp(0.4)) / 2)
    assert scores.grad[masked].eq(0).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 6), st.integers(1, 10), st.integers(1, 12))
def test_agrees_with_sorting_and_only_its_columns_have_gradient(seed, rows, columns, num_hard):
    rng = torch.Generator().manual_seed(seed)
    scores = torch.rand(rows, columns, generator=rng, requires_grad=True)
    candidate = torch.randint(0, 8, (columns,), generator=rng)
    masked = mask_copies(candidate, torch.randint(0, 8, (rows,), generator=rng))
    source = hard_in_batch(NegativeSource("batch", scores, masked=masked), candidate, num_hard=num_hard, weight=1.0)
    chosen = torch.zeros(rows, columns, dtype=torch.bool)
    products = candidate.tolist()
    for row in range(rows):
        free = [c for c in range(columns) if not masked[row, c] and products.index(products[c]) == c]
        best = sorted(free, key=lambda c, row=row: -scores[row, c].item())[:num_hard]
        chosen[row, best] = True
        taken = source.scores[row][~source.masked[row]].tolist()
        assert taken == pytest.approx([scores[row, c].item() for c in best])
    loss, _ = retrieval_loss(torch.zeros(rows), [source], positive_weight=torch.ones(rows), temperature=1 / 30)
    loss.backward()
    assert scores.grad[~chosen].eq(0).all()
    assert scores.grad[chosen].gt(0).all()


@pytest.mark.parametrize("is_masked", [True, False])
def test_a_nan_shows_unless_it_is_masked(is_masked):
    scores = torch.tensor([[0.1, math.nan, 0.3, 0.2]], requires_grad=True)
    masked = torch.tensor([[False, is_masked, False, False]])
    source = hard_in_batch(NegativeSource("batch", scores, masked=masked), indices(1, 2, 3, 4), num_hard=2, weight=1.0)
    loss, _ = retrieval_loss(torch.zeros(1), [source], positive_weight=torch.ones(1), temperature=1.0)
    loss.backward()
    assert loss.isnan().item() is not is_masked
    if is_masked:
        assert scores.grad.isfinite().all()
        assert scores.grad[0, 1].item() == 0.0


def test_hard_negatives_take_the_gradient_that_easy_ones_would_share():
    """Beside 500 easy columns a hard one has little of the softmax; in its own source it has most of it."""
    scores = torch.cat([torch.tensor([[0.2]]), torch.zeros(1, 500)], dim=1).requires_grad_()
    batch = NegativeSource("batch", scores)
    hard = hard_in_batch(batch, torch.arange(501), num_hard=1, weight=1.0)
    shares = []
    for source in (batch, hard):
        loss, _ = retrieval_loss(torch.zeros(1), [source], positive_weight=torch.ones(1), temperature=0.1)
        (gradient,) = torch.autograd.grad(loss, scores)
        shares.append((gradient[0, 0] / gradient.sum()).item())
    assert shares[0] < 0.05
    assert shares[1] == 1.0


def test_refuses_no_columns():
    with pytest.raises(UsageError, match=r"num_hard must be at least 1\. Received: num_hard=0"):
        hard_in_batch(NegativeSource("batch", torch.zeros(1, 1)), indices(1), num_hard=0, weight=1.0)
