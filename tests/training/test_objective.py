import numpy as np
import pytest
import torch

from aisle.core.errors import ConfigError
from aisle.training import objective
from aisle.training.batches import Batch, Mined, Ranked
from aisle.training.hinge_scale import HingeScale
from aisle.training.objective import source_weights


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


def mined(**changes):
    values = {
        "product_index": np.array([30, 31]),
        "masked": torch.tensor([[False, True]] * 4),
        "log_weight": torch.zeros(4, 2),
    }
    return Mined(**{**values, **changes})


def test_dynamic_negatives_are_the_last_columns_and_no_others(scores, make_config):
    config = make_config(dynamic_weight=2.0, batch_weight=0.0, uniform_weight=0.0)
    tracked = scores.clone().requires_grad_()
    loss = batch_loss(tracked, make_batch(mined=mined()), config, progress=1.0)
    loss.backward()
    own = scores[torch.arange(4), torch.arange(4)]
    assert loss.item() == pytest.approx(2.0 * torch.log1p(((scores[:, 6] - own) / 0.1).exp()).mean().item())
    assert (tracked.grad[:, 6] > 0).all()
    assert (tracked.grad[:, [4, 5, 7]] == 0).all()


def test_a_batch_for_which_nothing_dynamic_was_drawn_has_no_dynamic_loss(scores, make_config):
    config = make_config(dynamic_weight=2.0, batch_weight=0.0, uniform_weight=0.0)
    empty = mined(
        product_index=np.empty(0, np.int64), masked=torch.zeros(4, 0, dtype=torch.bool), log_weight=torch.zeros(4, 0)
    )
    assert batch_loss(scores, make_batch(mined=empty), config, progress=1.0) == 0


def test_the_hinge_is_its_formula_over_what_was_shown_and_what_was_drawn(scores, make_config):
    """Parts: one order, one click, one skipped, 7 uniform products, of which one that others bought counts half."""
    ones = np.ones(3, np.float32)
    ranked = Ranked(
        np.array([20]), np.array([0, 0, 2]), np.array([0, 6, 2]), np.array([4, 1, 2], np.float32), ones, ones
    )
    uniform_masked = torch.zeros(4, 2, dtype=torch.bool)
    uniform_masked[1, 0] = True
    log_weight = torch.zeros(4, 6)
    log_weight[3, 5] = np.log(0.5)
    batch = make_batch(ranked=ranked, uniform_masked=uniform_masked, log_weight=log_weight)
    scale = HingeScale()
    scale.load_state_dict({"log_scale": torch.tensor(0.2), "shift": torch.tensor(-0.1)})
    off = batch_loss(scores, batch, make_config(ranking_weight=0.0), progress=1.0)
    on = batch_loss(scores, batch, make_config(ranking_weight=0.0, hinge_weight=0.5), progress=1.0, hinge=scale)
    scaled = np.exp(0.2) * scores.double().numpy() - 0.1
    weight = np.array([[1, 1], [0, 1], [1, 1], [1, 0.5]])
    parts = [
        max(0, 0.9 - scaled[0, 0]),
        max(0, scaled[0, 6] - 0.5),
        max(0, 0.6 - scaled[2, 2]),
        np.average(np.maximum(0, scaled[:, 4:6] - 0.2), weights=weight),
    ]
    assert (on - off).item() == pytest.approx(0.5 * sum(parts), rel=1e-4)


def test_propensities_weigh_the_ranking_loss_of_the_winner(scores, make_config):
    ones = np.ones(4, np.float32)
    items = (np.array([20, 21]), np.array([0, 0, 2, 2]), np.array([0, 6, 2, 7]), np.array([4, 1, 4, 1], np.float32))
    config = make_config(ranking_weight=1.0, ranking_temperature=0.1)
    plain, heavy = (
        batch_loss(scores, make_batch(ranked=Ranked(*items, ones, inverse)), config, progress=1.0)
        - batch_loss(scores, make_batch(), config, progress=1.0)
        for inverse in (ones, np.array([3, 1, 1, 1], np.float32))
    )
    first, second = (
        torch.nn.functional.softplus((0.1 - (scores[row, row] - scores[row, column])) / 0.1)
        for row, column in ((0, 6), (2, 7))
    )
    assert plain.item() == pytest.approx(((first + second) / 2).item(), rel=1e-4)
    assert heavy.item() == pytest.approx(((3 * first + second) / 4).item(), rel=1e-4)


def test_dynamic_negatives_rise_with_the_annealing(make_config):
    config = make_config(dynamic_weight=2.0, anneal_warmup_share=0.2, anneal_end_share=0.6)
    assert [source_weights(config, progress).dynamic for progress in (0.1, 0.4, 0.8)] == pytest.approx([0.0, 1.0, 2.0])


def test_what_each_source_came_to_adds_up_by_weight(scores, make_config):
    ranked = Ranked(
        np.array([20, 21]),
        np.array([0, 0]),
        np.array([0, 6]),
        np.array([4, 1], np.float32),
        np.ones(2, np.float32),
        np.ones(2, np.float32),
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


def test_columns_near_or_above_the_positive_are_left_out_where_a_margin_is_given(make_config):
    scores = torch.zeros(4, 8)
    scores[0, :4] = torch.tensor([0.5, 0.9, 0.45, 0.2])
    tracked = scores.clone().requires_grad_()
    config = make_config(false_negative_margin=0.1, uniform_weight=0.0)
    batch_loss(tracked, make_batch(), config, progress=1.0).backward()
    assert (tracked.grad[0, 1:4] != 0).tolist() == [False, False, True]
    kept = scores.clone().requires_grad_()
    config = make_config(false_negative_margin=-0.3, uniform_weight=0.0)
    batch_loss(kept, make_batch(), config, progress=1.0).backward()
    assert (kept.grad[0, 1:4] != 0).tolist() == [False, True, True]


def test_hard_columns_of_the_batch_keep_to_the_same_margin(make_config):
    scores = torch.zeros(4, 8)
    scores[0, :4] = torch.tensor([0.5, 0.9, 0.45, 0.2])
    weights = {"uniform_weight": 0.0, "batch_weight": 0.0, "hard_weight": 1.0, "num_hard": 1}
    grads = []
    for margin in (None, 0.1):
        tracked = scores.clone().requires_grad_()
        config = make_config(false_negative_margin=margin, **weights)
        batch_loss(tracked, make_batch(), config, progress=1.0).backward()
        grads.append((tracked.grad[0, 1:4] != 0).tolist())
    assert grads == [[True, False, False], [False, False, True]]
