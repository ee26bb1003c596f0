import math

import pytest
import torch

from aisle.core.errors import ShapeError, UsageError
from aisle.losses import HingeThresholds, multi_part_hinge_loss

THRESHOLDS = HingeThresholds(random=0.2, shown=0.5, clicked=0.6, carted=0.75, ordered=0.9)


def floats(*values):
    return torch.tensor(values, dtype=torch.float64)


def hinge(scores, grades, *, log_scale=0.0, shift=0.0, **more):
    return multi_part_hinge_loss(
        scores, grades, THRESHOLDS, log_scale=torch.tensor(log_scale), shift=torch.tensor(shift), **more
    )


@pytest.mark.parametrize(
    ("grade", "threshold", "side"), [(0.0, 0.2, -1), (1.0, 0.5, -1), (2.0, 0.6, 1), (3.0, 0.75, 1), (4.0, 0.9, 1)]
)
def test_each_stage_has_its_threshold(grade, threshold, side):
    for distance in (-0.3, -0.01, 0.0, 0.01, 0.3):
        scores = floats(threshold + distance).requires_grad_()
        loss = hinge(scores, floats(grade))
        loss.backward()
        assert loss.item() == pytest.approx(max(0.0, -side * distance))
        assert scores.grad.item() == (-side if side * distance < -1e-9 else 0.0)


def test_parts_are_averaged_apart_and_added():
    # Ordered: 0.4 and 0 below 0.9, mean 0.2. Random: 0.1, 0, 0, 0.3 above 0.2, mean 0.1. Shown: 0.05 above 0.5.
    scores = floats(0.5, 0.95, 0.3, 0.1, -1.0, 0.5, 0.55)
    loss = hinge(scores, floats(4, 4, 0, 0, 0, 0, 1))
    assert loss.item() == pytest.approx(0.2 + 0.1 + 0.05)


def test_repeating_a_part_changes_nothing():
    loss = hinge(floats(0.5, 0.4), floats(4, 0))
    assert hinge(floats(0.5, *[0.4] * 100), floats(4, *[0] * 100)).item() == pytest.approx(loss.item())


def test_items_count_by_their_weight_within_their_part():
    loss = hinge(floats(0.5, 0.9, 0.3), floats(4, 4, 0), weight=floats(3, 1, 7))
    assert loss.item() == pytest.approx(0.75 * 0.4 + 0.1)
    assert hinge(floats(0.5, 0.3), floats(4, 0), weight=floats(0, 1)).item() == pytest.approx(0.1)


def test_scores_are_scaled_and_shifted():
    # s' = 2 · 0.3 + 0.1 = 0.7, which is 0.2 below the threshold of orders.
    log_scale = torch.tensor(math.log(2), dtype=torch.float64, requires_grad=True)
    shift = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    scores = floats(0.3).requires_grad_()
    loss = multi_part_hinge_loss(scores, floats(4), THRESHOLDS, log_scale=log_scale, shift=shift)
    loss.backward()
    assert loss.item() == pytest.approx(0.2)
    assert scores.grad.item() == pytest.approx(-2)
    assert log_scale.grad.item() == pytest.approx(-0.6)
    assert shift.grad.item() == pytest.approx(-1)


@pytest.mark.parametrize("log_scale", [-50.0, 0.0, 5.0])
def test_the_scale_never_turns_the_order(log_scale):
    scores = floats(0.5).requires_grad_()
    hinge(scores, floats(4), log_scale=log_scale, shift=-200.0).backward()
    assert scores.grad.item() < 0


def test_scale_and_shift_learn_to_part_what_scores_part():
    scores, grades = floats(0.02, 0.05, 0.10, 0.12), floats(0, 1, 2, 4)
    learned = [torch.zeros((), dtype=torch.float64, requires_grad=True) for _ in range(2)]
    optimiser = torch.optim.Adam(learned, lr=0.05)
    losses = []
    for _ in range(400):
        loss = multi_part_hinge_loss(scores, grades, THRESHOLDS, log_scale=learned[0], shift=learned[1])
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[0] > 1.0
    assert losses[-1] < 0.1


def test_nothing_to_learn_from():
    scores = torch.zeros(0, requires_grad=True)
    loss = hinge(scores, torch.zeros(0))
    loss.backward()
    assert loss.item() == 0.0
    assert loss.dtype == torch.float32


def test_a_grade_between_two_stages_belongs_to_the_lower():
    scores = floats(0.55)
    assert hinge(scores, floats(2.9)).item() == pytest.approx(hinge(scores, floats(2.0)).item())
    assert hinge(scores, floats(100.0)).item() == pytest.approx(hinge(scores, floats(4.0)).item())


def test_order_is_no_matter():
    rng = torch.Generator().manual_seed(0)
    scores, weight = torch.randn(50, generator=rng), torch.rand(50, generator=rng)
    grades = torch.randint(0, 5, (50,), generator=rng).float()
    order = torch.randperm(50, generator=rng)
    permuted = hinge(scores[order], grades[order], weight=weight[order])
    torch.testing.assert_close(hinge(scores, grades, weight=weight), permuted)


def test_a_nan_score_shows():
    assert hinge(floats(0.95, math.nan), floats(4, 0)).isnan()


def test_bfloat16_scores_are_computed_in_float32():
    scores, grades = torch.tensor([0.3, 0.7]).bfloat16(), torch.tensor([4.0, 0.0])
    loss = hinge(scores, grades)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(hinge(scores.double(), grades.double()).item(), rel=1e-6)


@pytest.mark.parametrize("values", [{"shown": 0.1}, {"ordered": 0.7}, {"clicked": math.nan}, {"ordered": math.inf}])
def test_refuses_thresholds(values):
    with pytest.raises(UsageError, match=r"must be finite and never fall from random to ordered\. Received: random="):
        HingeThresholds(**values)


@pytest.mark.parametrize("grade", [-1.0, math.nan, math.inf])
def test_refuses_grades(grade):
    with pytest.raises(UsageError, match="Grades must be finite and at least 0"):
        hinge(floats(0.5, 0.5), floats(1, grade))


def test_refuses_shapes():
    with pytest.raises(ShapeError, match=r"must all be \[items\]\. Received: scores=\(2,\), grades=\(1,\)"):
        hinge(floats(1, 2), floats(1))
    with pytest.raises(ShapeError, match=r"weight=\(3,\)"):
        hinge(floats(1), floats(1), weight=floats(1, 2, 3))
    with pytest.raises(ShapeError, match=r"log_scale and shift must be single numbers\. Received: log_scale=\(1,\)"):
        multi_part_hinge_loss(floats(1), floats(1), THRESHOLDS, log_scale=torch.zeros(1), shift=torch.zeros(()))
