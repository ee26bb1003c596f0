import numpy as np
import pytest
import torch

from aisle.core.errors import ConfigError
from aisle.training import objective
from aisle.training.batches import Batch, Ranked


def batch_loss(*arguments, **options):
    return objective.batch_loss(*arguments, **options)[0]


def make_batch(**changes):
    rows = 4
    values = {
        "query_index": np.arange(rows),
        "product_index": np.arange(rows),
        "uniform_index": np.array([7, 8]),
        "weight": np.ones(rows, np.float32),
        "batch_masked": torch.eye(rows, dtype=torch.bool),
        "uniform_masked": torch.zeros(rows, 2, dtype=torch.bool),
        "log_sampling": None,
    }
    return Batch(**{**values, **changes})


@pytest.fixture
def scores():
    return torch.randn(4, 8, generator=torch.Generator().manual_seed(2))


def test_warm_up_looks_at_uniform_negatives_alone(scores, make_config):
    config = make_config(anneal_warmup_share=0.2, anneal_end_share=0.5, hard_weight=1.0, num_hard=2)
    moved = scores.clone()
    moved[:, :4] += 3 * (1 - torch.eye(4))
    batch = make_batch()
    assert batch_loss(scores, batch, config, progress=0.1) == batch_loss(moved, batch, config, progress=0.1)
    assert batch_loss(scores, batch, config, progress=0.4) < batch_loss(moved, batch, config, progress=0.4)


def test_ranking_loss_pushes_skipped_products_below_positives(scores, make_config):
    ranked = Ranked(
        np.array([20, 21]),
        np.array([0, 0, 2, 2]),
        np.array([0, 6, 2, 7]),
        np.array([4, 1, 2, 1], np.float32),
        np.ones(4, np.float32),
    )
    batch, config = make_batch(ranked=ranked), make_config(ranking_weight=0.5)
    tracked = scores.clone().requires_grad_()
    batch_loss(tracked, batch, config, progress=1.0).backward()
    assert tracked.grad[0, 6] > 0
    assert tracked.grad[2, 7] > 0
    assert tracked.grad[1, 6] == 0
    off = batch_loss(scores, batch, make_config(ranking_weight=0.0), progress=1.0)
    assert off == batch_loss(scores, make_batch(), config, progress=1.0)


def test_hard_in_batch_adds_to_the_loss(scores, make_config):
    plain, hard = (
        batch_loss(scores, make_batch(), make_config(hard_weight=weight, num_hard=1), progress=1.0)
        for weight in (0.0, 1.0)
    )
    assert hard > plain


def test_annealing_without_uniform_negatives_is_refused(make_config):
    with pytest.raises(ConfigError, match="Annealing begins with uniform"):
        make_config(uniform_weight=0.0, anneal_end_share=0.5)


def test_what_each_source_came_to_adds_up_by_weight(scores, make_config):
    ranked = Ranked(
        np.array([20, 21]), np.array([0, 0]), np.array([0, 6]), np.array([4, 1], np.float32), np.ones(2, np.float32)
    )
    weights = {"batch_weight": 0.7, "uniform_weight": 0.3, "hard_weight": 0.2, "ranking_weight": 0.5}
    tracked = scores.clone().requires_grad_()
    config = make_config(**weights, num_hard=1)
    loss, parts = objective.batch_loss(tracked, make_batch(ranked=ranked), config, progress=1.0)
    by_name = {"batch": 0.7, "uniform": 0.3, "hard_in_batch": 0.2, "ranking": 0.5}
    assert set(parts) == set(by_name)
    assert sum(by_name[name] * value for name, value in parts.items()) == pytest.approx(loss.item(), rel=1e-6)
    assert not any(value.requires_grad for value in parts.values())


def test_a_source_that_is_off_is_not_told(scores, make_config):
    _, parts = objective.batch_loss(scores, make_batch(), make_config(batch_weight=0.0), progress=1.0)
    assert set(parts) == {"uniform"}
