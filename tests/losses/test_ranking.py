import math
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import ShapeError, UsageError
from aisle.losses import inverse_propensity, ranking_loss


def floats(*values):
    return torch.tensor(values, dtype=torch.float64)


def offsets(*values):
    return torch.tensor(values, dtype=torch.int64)


def loop(scores, grades, ends, *, temperature, margin, weight=None):
    """The formula, pair by pair."""
    total, share = 0.0, 0.0
    for begin, end in pairwise(ends):
        pairs = [
            (i, j) for i in range(begin, end) for j in range(begin, end) if grades[i] > grades[j] and grades[j] >= 1
        ]
        gaps = sum(float(grades[i] - grades[j]) for i, j in pairs)
        for i, j in pairs:
            v = float(grades[i] - grades[j]) / gaps * (1.0 if weight is None else float(weight[i]))
            total += v * math.log1p(math.exp(-float(scores[i] - scores[j] - margin) / temperature))
            share += v
    return total / share if share else 0.0


@st.composite
def searches(draw):
    lengths = draw(st.lists(st.integers(0, 7), min_size=1, max_size=5))
    seed = draw(st.integers(0, 2**32))
    rng = torch.Generator().manual_seed(seed)
    num_items = sum(lengths)
    scores = torch.rand(num_items, generator=rng, dtype=torch.float64) * 2 - 1
    grades = torch.randint(0, 5, (num_items,), generator=rng).double()
    weight = torch.rand(num_items, generator=rng, dtype=torch.float64) + 0.1
    return scores, grades, weight, [0, *torch.tensor(lengths).cumsum(0).tolist()]


def test_one_pair_by_eye():
    # The ordered product leads by 0.5, of which the margin takes 0.1: e^{-0.4 / 0.4} = 1 / e.
    loss = ranking_loss(floats(0.7, 0.2), floats(4, 1), offsets(0, 2), temperature=0.4, margin=0.1)
    assert loss.item() == pytest.approx(math.log1p(math.exp(-1)))


def test_pairs_count_by_their_difference_of_grades():
    # At a margin of 0 equal scores lose ln 2; the click below the skipped one by ln 3 loses ln 4.
    scores, grades = floats(0, 0, math.log(3)), floats(4, 2, 1)
    loss = ranking_loss(scores, grades, offsets(0, 3), temperature=1.0, margin=0.0)
    pairs = [(2, math.log(2)), (3, math.log(4)), (1, math.log(4))]
    assert loss.item() == pytest.approx(sum(gap * each for gap, each in pairs) / 6)


def test_every_search_with_a_pair_counts_once():
    scores = torch.cat([floats(0, 0), floats(1, 0, 0, 0, 0), floats(5, 5)])
    grades = torch.cat([floats(2, 1), floats(4, 1, 1, 1, 1), floats(1, 1)])
    loss = ranking_loss(scores, grades, offsets(0, 2, 7, 9), temperature=1.0, margin=0.0)
    assert loss.item() == pytest.approx((math.log(2) + math.log1p(math.exp(-1))) / 2)


def test_products_of_different_searches_and_random_ones_are_not_compared():
    scores, grades = floats(0, 9, 0, 9), floats(4, 0, 4, 1)
    apart = ranking_loss(scores, grades, offsets(0, 2, 3, 4), temperature=1.0)
    assert apart.item() == 0.0
    assert ranking_loss(scores, grades, offsets(0, 4), temperature=1.0).item() > 8


@settings(max_examples=60, deadline=None)
@given(searches(), st.booleans(), st.sampled_from([(1.0, 0.1), (0.1, 0.0), (1 / 30, 0.1)]))
def test_agrees_with_a_double_loop(case, is_weighted, settings_of):
    scores, grades, weight, ends = case
    weight = weight if is_weighted else None
    temperature, margin = settings_of
    loss = ranking_loss(scores, grades, offsets(*ends), temperature=temperature, margin=margin, weight=weight)
    slow = loop(scores, grades, ends, temperature=temperature, margin=margin, weight=weight)
    assert loss.item() == pytest.approx(slow, rel=1e-7, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(searches(), st.randoms(use_true_random=False))
def test_order_within_and_of_searches_is_no_matter(case, random):
    scores, grades, weight, ends = case
    spans = [list(range(begin, end)) for begin, end in pairwise(ends)]
    random.shuffle(spans)
    for span in spans:
        random.shuffle(span)
    order = torch.tensor([item for span in spans for item in span], dtype=torch.int64)
    permuted_ends = [0, *torch.tensor([len(span) for span in spans]).cumsum(0).tolist()]
    loss = ranking_loss(scores, grades, offsets(*ends), temperature=0.1, weight=weight)
    permuted = ranking_loss(
        scores[order], grades[order], offsets(*permuted_ends), temperature=0.1, weight=weight[order]
    )
    torch.testing.assert_close(loss, permuted)


@settings(max_examples=40, deadline=None)
@given(searches())
def test_gradient_lifts_the_best_and_lowers_the_skipped(case):
    scores, grades, _, ends = case
    leaf = scores.clone().requires_grad_()
    ranking_loss(leaf, grades, offsets(*ends), temperature=0.1).backward()
    for begin, end in pairwise(ends):
        shown = [i for i in range(begin, end) if grades[i] >= 1]
        has_pair = len({grades[i].item() for i in shown}) > 1
        best, worst = (choose((grades[i].item() for i in shown), default=0) for choose in (max, min))
        for i in range(begin, end):
            if not has_pair or i not in shown:
                assert leaf.grad[i].item() == 0.0
            elif grades[i] == best:
                assert leaf.grad[i].item() < 0
            elif grades[i] == worst:
                assert leaf.grad[i].item() > 0
    # Only differences matter, so what one gains another loses.
    assert leaf.grad.sum().item() == pytest.approx(0.0, abs=1e-9)


def test_gradcheck():
    leaf = floats(0.3, -0.2, 0.1, 0.5, 0.0, 0.2).requires_grad_()
    grades, weight = floats(4, 1, 2, 1, 0, 3), floats(2, 1, 0.5, 1, 1, 3)

    def loss(scores):
        return ranking_loss(scores, grades, offsets(0, 3, 6), temperature=0.3, weight=weight)

    assert torch.autograd.gradcheck(loss, (leaf,))


@pytest.mark.parametrize(
    ("grades", "ends"),
    [
        ((), (0,)),
        ((), (0, 0, 0)),
        ((4.0,), (0, 1)),
        ((1.0, 1.0, 1.0), (0, 3)),
        ((3.0, 3.0), (0, 2)),
        ((4.0, 0.0), (0, 2)),
    ],
)
def test_no_pairs(grades, ends):
    scores = torch.zeros(len(grades), requires_grad=True)
    loss = ranking_loss(scores, torch.tensor(grades), offsets(*ends), temperature=0.1)
    loss.backward()
    assert loss.item() == 0.0
    assert scores.grad.eq(0).all()


def test_weightless_winners_teach_nothing():
    scores = floats(0.0, 1.0).requires_grad_()
    loss = ranking_loss(scores, floats(4, 1), offsets(0, 2), temperature=0.1, weight=floats(0, 5))
    loss.backward()
    assert loss.item() == 0.0
    assert scores.grad.eq(0).all()


def test_weights_are_the_winners():
    scores, grades, ends = floats(0, 0, 1, 0), floats(4, 1, 4, 1), offsets(0, 2, 4)
    even, likely = math.log(2), math.log1p(math.exp(-1))
    loss = ranking_loss(scores, grades, ends, temperature=1.0, margin=0.0, weight=floats(3, 100, 1, 7))
    assert loss.item() == pytest.approx(0.75 * even + 0.25 * likely)
    scaled = ranking_loss(scores, grades, ends, temperature=1.0, margin=0.0, weight=floats(30, 1, 10, 1))
    assert scaled.item() == pytest.approx(loss.item())


def test_inverse_propensity_makes_a_biased_log_unbiased():
    """Searches whose order stood at a rare place are logged less; weighted back, the loss is that of all searches."""
    rng = torch.Generator().manual_seed(0)
    propensity = torch.tensor([1.0, 0.2], dtype=torch.float64)
    kind = torch.randint(0, 2, (40_000,), generator=rng)
    kind = kind[torch.rand(len(kind), generator=rng) < propensity[kind]]
    lead = torch.tensor([0.5, -0.5], dtype=torch.float64)[kind]
    scores, grades = torch.stack([lead, torch.zeros_like(lead)], 1).flatten(), floats(4, 1).repeat(len(kind))
    ends = torch.arange(0, 2 * len(kind) + 1, 2)
    weight = inverse_propensity(propensity[kind].repeat_interleave(2), least=0.01, unknown=1.0)
    true = (math.log1p(math.exp(-0.5)) + math.log1p(math.exp(0.5))) / 2
    plain, corrected = (
        ranking_loss(scores, grades, ends, temperature=1.0, margin=0.0, weight=each).item() for each in (None, weight)
    )
    # The share of rare searches has a standard error of about 0.007 after weighting, and moves the loss by half of it.
    assert corrected == pytest.approx(true, abs=0.015)
    assert plain < true - 0.1


@pytest.mark.parametrize("item", [1, 2])
def test_nan_scores(item):
    """A product in no pair may score NaN; one in a pair makes the loss NaN, so that the trainer can stop."""
    scores = floats(0.5, 0.1, 0.2)
    scores[item] = math.nan
    scores.requires_grad_()
    loss = ranking_loss(scores, floats(4, 0, 1), offsets(0, 3), temperature=0.1)
    loss.backward()
    if item == 1:
        expected = ranking_loss(floats(0.5, 0.2), floats(4, 1), offsets(0, 2), temperature=0.1)
        assert loss.item() == pytest.approx(expected.item())
        assert scores.grad.isfinite().all()
    else:
        assert loss.isnan()


def test_bfloat16_scores_are_computed_in_float32():
    rng = torch.Generator().manual_seed(1)
    scores = (torch.rand(30, generator=rng) * 2 - 1).bfloat16()
    grades = torch.randint(0, 5, (30,), generator=rng).float()
    wide = ranking_loss(scores.double(), grades.double(), offsets(0, 10, 30), temperature=1 / 30)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        narrow = ranking_loss(scores, grades, offsets(0, 10, 30), temperature=1 / 30)
    assert narrow.dtype == torch.float32
    torch.testing.assert_close(narrow.double(), wide, rtol=1e-5, atol=1e-6)


def test_inverse_propensity_by_eye():
    weight = inverse_propensity(floats(1.0, 0.5, 0.001, 0.0, math.nan), least=0.1, unknown=3.0)
    assert weight.tolist() == pytest.approx([1.0, 2.0, 10.0, 10.0, 3.0])


@pytest.mark.parametrize("propensity", [-0.1, 1.5, math.inf])
def test_refuses_propensities(propensity):
    with pytest.raises(UsageError, match=r"A propensity must lie in 0\.\.1\. Received: least="):
        inverse_propensity(floats(0.5, propensity, math.nan), least=0.1, unknown=1.0)


@pytest.mark.parametrize(("least", "unknown"), [(0.0, 1.0), (1.1, 1.0), (0.1, -1.0), (0.1, math.nan)])
def test_refuses_bounds_of_propensities(least, unknown):
    with pytest.raises(UsageError, match="least must lie in"):
        inverse_propensity(floats(0.5), least=least, unknown=unknown)


@pytest.mark.parametrize(
    ("scores", "grades", "ends", "text"),
    [
        (floats(1, 2), floats(1), (0, 2), r"must all be \[items\]\. Received: scores=\(2,\), grades=\(1,\)"),
        (floats(1).reshape(1, 1), floats(1).reshape(1, 1), (0, 1), r"must all be \[items\]"),
        (floats(1, 2), floats(1, 2), (0, 1), "offsets must begin with 0, never fall and end with the number"),
        (floats(1, 2), floats(1, 2), (), "offsets must begin with 0"),
        (floats(1, 2), floats(1, 2), (0, 2, 1, 2), "offsets must begin with 0"),
    ],
)
def test_refuses_shapes(scores, grades, ends, text):
    with pytest.raises(ShapeError, match=text):
        ranking_loss(scores, grades, offsets(*ends), temperature=1.0)


def test_refuses_weights_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"weight=\(1,\)"):
        ranking_loss(floats(1, 2), floats(1, 2), offsets(0, 2), temperature=1.0, weight=floats(1))


def test_refuses_grades_that_are_not_finite():
    with pytest.raises(UsageError, match=r"Grades must be finite\. Received: not_finite=1"):
        ranking_loss(floats(1, 2), floats(1, math.nan), offsets(0, 2), temperature=1.0)


@pytest.mark.parametrize(("temperature", "margin"), [(0.0, 0.1), (math.nan, 0.1), (1.0, -0.1), (1.0, math.inf)])
def test_refuses_settings(temperature, margin):
    with pytest.raises(UsageError, match="temperature must be a positive finite number and margin at least 0"):
        ranking_loss(floats(1, 2), floats(1, 2), offsets(0, 2), temperature=temperature, margin=margin)
