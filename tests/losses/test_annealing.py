import math
from dataclasses import astuple

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import UsageError
from aisle.losses import NegativeSource, SourceWeights, annealed_weights, retrieval_loss

FINAL = SourceWeights(uniform=0.2, batch=1.0, hard_in_batch=0.5, dynamic=0.4)


def at(progress, final=FINAL, **changed):
    return annealed_weights(progress, final, **{"uniform_start": 1.0, "warmup_share": 0.1, "end_share": 0.6, **changed})


def test_warm_up_then_a_line_then_the_final_weights():
    assert at(0.0) == SourceWeights(uniform=1.0)
    assert at(0.099) == SourceWeights(uniform=1.0)
    assert astuple(at(0.35)) == pytest.approx((0.6, 0.5, 0.25, 0.2))
    assert astuple(at(0.225)) == pytest.approx((0.8, 0.25, 0.125, 0.1))
    assert at(0.6) == FINAL
    assert at(1.0) == FINAL


def test_the_line_meets_both_ends():
    assert astuple(at(0.1)) == pytest.approx((1.0, 0.0, 0.0, 0.0))
    assert astuple(at(0.6 - 1e-12)) == pytest.approx(astuple(FINAL))


def test_without_shares_there_is_no_annealing():
    assert at(0.0, warmup_share=0.0, end_share=0.0) == FINAL


def test_equal_shares_jump():
    assert at(0.4999, warmup_share=0.5, end_share=0.5) == SourceWeights(uniform=1.0)
    assert at(0.5, warmup_share=0.5, end_share=0.5) == FINAL


def test_annealing_to_the_end_of_the_run():
    assert at(1.0, end_share=1.0) == FINAL
    assert at(1.0, warmup_share=1.0, end_share=1.0) == FINAL
    assert at(0.999, warmup_share=1.0, end_share=1.0) == SourceWeights(uniform=1.0)


def test_a_source_that_is_off_stays_off_and_uniform_may_end():
    final = SourceWeights(batch=1.0)
    weights = [at(step / 20, final) for step in range(21)]
    assert {weight.dynamic for weight in weights} == {weight.hard_in_batch for weight in weights} == {0.0}
    assert weights[-1].uniform == 0.0


@given(st.floats(0, 1), st.floats(0, 1))
def test_uniform_falls_and_the_others_rise(one, other):
    early, late = (at(progress) for progress in sorted((one, other)))
    assert early.uniform >= late.uniform
    assert early.batch <= late.batch
    assert early.hard_in_batch <= late.hard_in_batch
    assert early.dynamic <= late.dynamic


def test_warm_up_computes_uniform_negatives_alone():
    unused = torch.full((2, 3), math.nan)
    weights = at(0.05)
    total, means = retrieval_loss(
        torch.zeros(2),
        [
            NegativeSource("uniform", torch.zeros(2, 3), weight=weights.uniform),
            NegativeSource("batch", unused, weight=weights.batch),
            NegativeSource("hard_in_batch", unused, weight=weights.hard_in_batch),
            NegativeSource("dynamic", unused, weight=weights.dynamic),
        ],
        positive_weight=torch.ones(2),
        temperature=1.0,
    )
    assert total.item() == pytest.approx(math.log(4))
    assert list(means) == ["uniform"]


@pytest.mark.parametrize("weights", [{}, {"uniform": -1.0}, {"batch": math.nan}, {"uniform": 1.0, "dynamic": math.inf}])
def test_refuses_weights(weights):
    with pytest.raises(UsageError, match=r"Weights of sources must be finite, at least 0, and not all 0\. Received"):
        SourceWeights(**weights)


@pytest.mark.parametrize(
    ("progress", "changed", "text"),
    [
        (-0.1, {}, r"progress must lie in 0\.\.1\. Received: progress=-0\.1"),
        (math.nan, {}, "progress must lie in"),
        (0.5, {"warmup_share": 0.7}, "0 <= warmup_share <= end_share <= 1 must hold"),
        (0.5, {"end_share": 1.1}, "0 <= warmup_share <= end_share <= 1 must hold"),
        (0.5, {"uniform_start": 0.0}, "uniform_start must be a positive finite number"),
        (0.5, {"uniform_start": math.inf}, "uniform_start must be a positive finite number"),
    ],
)
def test_refuses_numbers(progress, changed, text):
    with pytest.raises(UsageError, match=text):
        at(progress, **changed)
