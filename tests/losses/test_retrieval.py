import math

import pytest
import torch

from aisle.core.errors import ShapeError, UsageError
from aisle.losses import NegativeSource, retrieval_loss, sampled_softmax_loss


def test_a_case_by_eye():
    # Losses of the rows: ln 2 and ln 2 against one column, ln 3 and ln 3 against two.
    total, means = retrieval_loss(
        torch.zeros(2),
        [
            NegativeSource("uniform", torch.zeros(2, 1), weight=0.5),
            NegativeSource("batch", torch.zeros(2, 2), weight=2.0),
        ],
        positive_weight=torch.tensor([1.0, 3.0]),
        temperature=0.1,
    )
    assert total.item() == pytest.approx(0.5 * math.log(2) + 2 * math.log(3))
    assert means.keys() == {"uniform", "batch"}
    assert means["uniform"].item() == pytest.approx(math.log(2))
    assert means["batch"].item() == pytest.approx(math.log(3))
    assert total.ndim == 0


def test_rows_count_by_their_weight():
    source = NegativeSource("batch", torch.tensor([[0.0], [math.log(3)]]))
    total, _ = retrieval_loss(torch.zeros(2), [source], positive_weight=torch.tensor([3.0, 1.0]), temperature=1.0)
    assert total.item() == pytest.approx(0.75 * math.log(2) + 0.25 * math.log(4))


def test_scaling_all_row_weights_changes_nothing():
    rng = torch.Generator().manual_seed(0)
    positive, scores = torch.randn(4, generator=rng), torch.randn(4, 6, generator=rng)
    weight = torch.rand(4, generator=rng)
    losses = [
        retrieval_loss(positive, [NegativeSource("a", scores)], positive_weight=factor * weight, temperature=0.5)[0]
        for factor in (1.0, 1000.0)
    ]
    torch.testing.assert_close(losses[0], losses[1])


def test_every_field_of_a_source_reaches_the_softmax():
    rng = torch.Generator().manual_seed(1)
    positive, scores = torch.randn(3, generator=rng), torch.randn(3, 5, generator=rng)
    extras = {
        "masked": torch.rand(3, 5, generator=rng) < 0.4,
        "log_sampling": torch.randn(5, generator=rng),
        "log_weight": torch.randn(3, 5, generator=rng),
    }
    weight = torch.ones(3)
    plain, _ = retrieval_loss(positive, [NegativeSource("a", scores)], positive_weight=weight, temperature=0.5)
    for name, tensor in extras.items():
        total, _ = retrieval_loss(
            positive,
            [NegativeSource("a", scores, **{name: tensor})],
            positive_weight=weight,
            temperature=0.5,
        )
        expected = sampled_softmax_loss(positive, scores, temperature=0.5, **{name: tensor}).mean()
        torch.testing.assert_close(total, expected)
        assert not torch.isclose(total, plain)


def test_a_source_of_weight_zero_is_not_computed():
    scores = torch.zeros(2, 3, requires_grad=True)
    unused = torch.full((2, 3), math.nan, requires_grad=True)
    total, means = retrieval_loss(
        torch.zeros(2),
        [NegativeSource("uniform", scores), NegativeSource("batch", unused, weight=0.0)],
        positive_weight=torch.ones(2),
        temperature=1.0,
    )
    total.backward()
    assert total.item() == pytest.approx(math.log(4))
    assert list(means) == ["uniform"]
    assert unused.grad is None
    assert not means["uniform"].requires_grad


def test_gradient_is_weighted_by_source():
    scores = [torch.zeros(2, 3, requires_grad=True) for _ in range(2)]
    total, _ = retrieval_loss(
        torch.zeros(2),
        [NegativeSource("a", scores[0]), NegativeSource("b", scores[1], weight=3.0)],
        positive_weight=torch.ones(2),
        temperature=1.0,
    )
    total.backward()
    # Each column has probability 1/4, each row a share of 1/2.
    torch.testing.assert_close(scores[0].grad, torch.full((2, 3), 1 / 8))
    torch.testing.assert_close(scores[1].grad, torch.full((2, 3), 3 / 8))


@pytest.mark.parametrize("rows", [0, 2])
def test_no_row_to_learn_from(rows):
    scores = torch.zeros(rows, 3, requires_grad=True)
    total, means = retrieval_loss(
        torch.zeros(rows),
        [NegativeSource("batch", scores)],
        positive_weight=torch.zeros(rows),
        temperature=1.0,
    )
    total.backward()
    assert total.item() == 0.0
    assert means["batch"].item() == 0.0
    assert scores.grad.eq(0).all()


@pytest.mark.parametrize(
    ("sources", "text"),
    [
        ([("a", 1.0), ("a", 1.0)], r"must have distinct names\. Received: names=\['a', 'a'\]"),
        ([("a", 1.0), ("b", -1.0)], r"must be finite and at least 0\. Received: weights=\{'a': 1.0, 'b': -1.0\}"),
        ([("a", math.nan)], "must be finite and at least 0"),
        ([("a", 0.0)], "At least one source of negatives must have a weight above 0"),
        ([], "At least one source of negatives must have a weight above 0"),
    ],
)
def test_refuses_sources(sources, text):
    with pytest.raises(UsageError, match=text):
        retrieval_loss(
            torch.zeros(2),
            [NegativeSource(name, torch.zeros(2, 3), weight=weight) for name, weight in sources],
            positive_weight=torch.ones(2),
            temperature=1.0,
        )


def test_refuses_row_weights_that_do_not_fit():
    with pytest.raises(ShapeError, match="positive_weight must have one entry per row"):
        retrieval_loss(
            torch.zeros(2),
            [NegativeSource("a", torch.zeros(2, 3))],
            positive_weight=torch.ones(1),
            temperature=1.0,
        )
