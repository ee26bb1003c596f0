import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import ShapeError, UsageError
from aisle.losses import sampled_softmax_loss


def random_scores(rows, columns, *, seed=0, dtype=torch.float64):
    """Cosines of random rows, as two leaves."""
    rng = torch.Generator().manual_seed(seed)
    positive = torch.rand(rows, generator=rng, dtype=dtype) * 2 - 1
    negatives = torch.rand(rows, columns, generator=rng, dtype=dtype) * 2 - 1
    return positive.requires_grad_(), negatives.requires_grad_()


def test_a_case_by_eye():
    # e^0 = 1 for the positive; the columns count e^0, e^{ln 2} = 2 and e^0: 1 / (1 + 1 + 2 + 1).
    loss = sampled_softmax_loss(torch.zeros(1), torch.tensor([[0.0, 0.5 * math.log(2), 0.0]]), temperature=0.5)
    assert loss.item() == pytest.approx(math.log(5))


def test_weights_masks_and_counts_by_eye():
    # Columns: expected twice → 1/2; weight 3 → 3; masked → 0.
    loss = sampled_softmax_loss(
        torch.zeros(1),
        torch.zeros(1, 3),
        temperature=1.0,
        masked=torch.tensor([[False, False, True]]),
        log_sampling=torch.log(torch.tensor([2.0, 1.0, 1.0])),
        log_weight=torch.log(torch.tensor([[1.0, 3.0, 1.0]])),
    )
    assert loss.item() == pytest.approx(math.log(1 + 0.5 + 3))


def test_weight_zero_removes_a_column():
    positive, negatives = random_scores(3, 4)
    log_weight = torch.zeros(3, 4, dtype=torch.float64)
    log_weight[:, 1] = -math.inf
    loss = sampled_softmax_loss(positive, negatives, temperature=0.1, log_weight=log_weight)
    torch.testing.assert_close(loss, sampled_softmax_loss(positive, negatives[:, [0, 2, 3]], temperature=0.1))
    loss.sum().backward()
    assert negatives.grad[:, 1].eq(0).all()
    assert negatives.grad[:, [0, 2, 3]].gt(0).all()


@pytest.mark.parametrize(("rows", "columns"), [(0, 3), (0, 0), (2, 0)])
def test_nothing_to_compare_with(rows, columns):
    positive, negatives = random_scores(rows, columns)
    loss = sampled_softmax_loss(positive, negatives, temperature=0.1)
    assert loss.tolist() == [0.0] * rows
    loss.sum().backward()
    assert positive.grad.tolist() == [0.0] * rows


@pytest.mark.parametrize("score", [5.0, math.inf, -math.inf, math.nan])
def test_masked_columns_have_no_probability_and_no_gradient(score):
    positive, negatives = random_scores(4, 6)
    masked = torch.zeros(4, 6, dtype=torch.bool)
    masked[:, 2] = True
    masked[1] = True
    with torch.no_grad():
        negatives[masked] = score
    loss = sampled_softmax_loss(positive, negatives, temperature=1 / 30, masked=masked)

    kept = [0, 1, 3, 4, 5]
    alone = sampled_softmax_loss(positive, negatives[:, kept], temperature=1 / 30).detach()
    for row in (0, 2, 3):
        assert loss[row].item() == pytest.approx(alone[row].item(), rel=1e-12)
    assert loss[1].item() == 0.0

    loss.sum().backward()
    assert negatives.grad[masked].eq(0).all()
    assert negatives.grad[~masked].gt(0).all()
    assert positive.grad[1].item() == 0.0
    assert positive.grad[[0, 2, 3]].lt(0).all()


def test_a_masked_copy_does_not_push_its_product_away():
    # Rows 0 and 2 both bought product 0, so each stands in the other's columns.
    rng = torch.Generator().manual_seed(3)
    query = F.normalize(torch.randn(3, 8, generator=rng, dtype=torch.float64), dim=1)
    product = F.normalize(torch.randn(2, 8, generator=rng, dtype=torch.float64), dim=1).requires_grad_()
    bought = torch.tensor([0, 1, 0])
    masked = torch.tensor([[True, False, True], [False, True, False], [True, False, True]])

    def gradient(mask):
        """Of row 0's loss, on the vector of the product that it bought, by way of the columns only."""
        columns = product[bought]
        scores = query @ columns.T
        loss = sampled_softmax_loss(scores.diagonal().detach(), scores, temperature=0.1, masked=mask)
        return torch.autograd.grad(loss[0], product)[0][0]

    assert gradient(masked).eq(0).all()
    # Without the mask the step against the gradient leads away from the query.
    assert gradient(None) @ query[0] > 1.0


@pytest.mark.parametrize("temperature", [1.0, 1 / 30])
def test_agrees_with_cross_entropy(temperature):
    positive, negatives = random_scores(5, 7)
    loss = sampled_softmax_loss(positive, negatives, temperature=temperature)
    logits = torch.cat([positive[:, None], negatives], dim=1) / temperature
    expected = F.cross_entropy(logits, torch.zeros(5, dtype=torch.long), reduction="none")
    torch.testing.assert_close(loss, expected)
    for ours, theirs in zip(
        torch.autograd.grad(loss.sum(), (positive, negatives)),
        torch.autograd.grad(expected.sum(), (positive, negatives)),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs)


def test_gradcheck():
    positive, negatives = random_scores(3, 5)
    masked = torch.zeros(3, 5, dtype=torch.bool)
    masked[0] = True
    masked[1, 2] = True
    _, log_weight = random_scores(3, 5, seed=1)

    def loss(positive, negatives, log_weight):
        return sampled_softmax_loss(
            positive,
            negatives,
            temperature=0.3,
            masked=masked,
            log_sampling=torch.linspace(-3, 1, 5, dtype=torch.float64),
            log_weight=log_weight,
        )

    assert torch.autograd.gradcheck(loss, (positive, negatives, log_weight))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 5), st.integers(1, 9))
def test_order_of_columns_is_no_matter(seed, rows, columns):
    rng = torch.Generator().manual_seed(seed)
    positive, negatives = random_scores(rows, columns, seed=seed)
    masked = torch.rand(rows, columns, generator=rng) < 0.3
    log_sampling = torch.randn(columns, generator=rng, dtype=torch.float64)
    log_weight = torch.randn(rows, columns, generator=rng, dtype=torch.float64)
    order = torch.randperm(columns, generator=rng)
    loss = sampled_softmax_loss(
        positive,
        negatives,
        temperature=0.1,
        masked=masked,
        log_sampling=log_sampling,
        log_weight=log_weight,
    )
    permuted = sampled_softmax_loss(
        positive,
        negatives[:, order],
        temperature=0.1,
        masked=masked[:, order],
        log_sampling=log_sampling[order],
        log_weight=log_weight[:, order],
    )
    assert loss.ge(0).all()
    torch.testing.assert_close(loss, permuted)


@pytest.mark.parametrize("case", ["random", "hopeless", "solved"])
def test_float32_keeps_the_digits(case):
    positive, negatives = random_scores(16, 1000, dtype=torch.float32)
    if case != "random":
        positive = torch.full((16,), -1.0 if case == "hopeless" else 1.0)
        negatives = torch.full((16, 1000), -positive[0].item()).requires_grad_()
    loss = sampled_softmax_loss(positive, negatives, temperature=1 / 30)
    exact = sampled_softmax_loss(positive.double(), negatives.double(), temperature=1 / 30)
    assert loss.dtype == torch.float32
    # Absolutely below half a unit in the last place of 1, where the margin is 60 and the loss 1e-23.
    torch.testing.assert_close(loss.double(), exact, rtol=2e-6, atol=1e-7)
    ours, theirs = (torch.autograd.grad(x.sum(), negatives)[0] for x in (loss, exact))
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-9)


def test_bfloat16_scores_are_computed_in_float32():
    positive, negatives = random_scores(8, 50)
    positive, negatives = positive.bfloat16().detach(), negatives.bfloat16().detach()
    wide = sampled_softmax_loss(positive.double(), negatives.double(), temperature=1 / 30)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        narrow = sampled_softmax_loss(positive, negatives, temperature=1 / 30)
    assert narrow.dtype == torch.float32
    torch.testing.assert_close(narrow.double(), wide, rtol=1e-5, atol=1e-6)


def catalogue():
    """A positive and 40 other products: their scores, and how unevenly the log shows them."""
    rng = np.random.default_rng(7)
    score = torch.from_numpy(rng.uniform(-0.5, 1.0, 40))
    probability = 1 / np.arange(1, 41)
    return torch.tensor([0.8], dtype=torch.float64), score, probability / probability.sum()


def partition_without_positive(loss, positive, temperature):
    return (torch.exp(positive / temperature) * torch.expm1(loss)).item()


def test_counts_make_the_partition_sum_unbiased():
    positive, score, probability = catalogue()
    temperature, num_columns, num_trials = 0.5, 20, 4000
    rng = np.random.default_rng(11)
    drawn = torch.from_numpy(rng.choice(40, size=(num_trials, num_columns), p=probability))
    log_count = torch.from_numpy(np.log(num_columns * probability))

    def estimates(counts):
        return np.array(
            [
                partition_without_positive(
                    sampled_softmax_loss(
                        positive,
                        score[columns].unsqueeze(0),
                        temperature=temperature,
                        log_sampling=None if counts is None else counts[columns],
                    ),
                    positive,
                    temperature,
                )
                for columns in drawn
            ]
        )

    full = torch.exp(score / temperature).sum().item()
    corrected = estimates(log_count)
    standard_error = corrected.std() / math.sqrt(num_trials)
    assert standard_error < 0.01 * full
    assert abs(corrected.mean() - full) < 4 * standard_error
    # Neither without the correction nor by the probability of one draw does the sum come out.
    assert abs(estimates(None).mean() - full) > 0.3 * full
    assert estimates(log_count - math.log(num_columns)).mean() > 15 * full


def test_converges_to_the_full_softmax():
    positive, score, probability = catalogue()
    full = sampled_softmax_loss(positive, score.unsqueeze(0), temperature=0.1).item()
    rng = np.random.default_rng(13)

    def mean_error(num_columns, num_trials=30):
        columns = torch.from_numpy(rng.choice(40, size=(num_trials, num_columns), p=probability))
        counts = torch.from_numpy(np.log(num_columns * probability))
        losses = [
            sampled_softmax_loss(
                positive, score[drawn].unsqueeze(0), temperature=0.1, log_sampling=counts[drawn]
            ).item()
            for drawn in columns
        ]
        return np.abs(np.array(losses) - full).mean()

    errors = [mean_error(num_columns) for num_columns in (30, 1_000, 100_000)]
    # A hundredfold sample: a tenth of the error.
    assert errors[1] < errors[0] / 3
    assert errors[2] < errors[1] / 3
    assert errors[2] < 0.01


@pytest.mark.parametrize("temperature", [0.0, -0.1, math.nan, math.inf])
def test_refuses_a_temperature(temperature):
    with pytest.raises(UsageError, match=r"temperature must be a positive finite number\. Received: temp"):
        sampled_softmax_loss(torch.zeros(1), torch.zeros(1, 1), temperature=temperature)


@pytest.mark.parametrize(("positive", "negatives"), [((2,), (3, 4)), ((2, 1), (2, 4)), ((2,), (2,)), ((), (1, 2))])
def test_refuses_scores_that_do_not_fit(positive, negatives):
    with pytest.raises(ShapeError, match=r"positive must be \[rows\] and negatives \[rows, columns\]"):
        sampled_softmax_loss(torch.zeros(positive), torch.zeros(negatives), temperature=1.0)


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("masked", torch.zeros(2, dtype=torch.bool)),
        ("masked", torch.zeros(1, 3, dtype=torch.bool)),
        ("log_sampling", torch.zeros(2)),
        ("log_sampling", torch.zeros(2, 3)),
        ("log_weight", torch.zeros(3)),
    ],
)
def test_refuses_what_would_broadcast(name, tensor):
    with pytest.raises(ShapeError, match=f"{name} must have the shape"):
        sampled_softmax_loss(torch.zeros(2), torch.zeros(2, 3), temperature=1.0, **{name: tensor})


def test_refuses_a_mask_of_numbers():
    with pytest.raises(ShapeError, match=r"masked must be boolean. Received: masked=torch.int64"):
        sampled_softmax_loss(
            torch.zeros(1), torch.zeros(1, 2), temperature=1.0, masked=torch.zeros(1, 2, dtype=torch.long)
        )
