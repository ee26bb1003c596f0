import numpy as np
import pytest
import torch

from aisle.core.errors import UsageError
from aisle.training import train
from aisle.training.log_batches import LogBatchMaker
from aisle.training.loss_config import DynamicConfig, HingeConfig, StageConfig
from aisle.training.run_objective import Objective
from aisle.training.trainer import Trainer

SMALL = DynamicConfig(pool_size=40, refresh_steps=50, skip_ranks=0, depth=40, margin=0.0, num_columns=8)


@pytest.fixture(scope="module")
def shop(log_data):
    return log_data()


@pytest.fixture
def make_trainer(shop, make_log_model, make_config, tmp_path):
    """A trainer at its first step; `graph` and `history` are off, so that no tables are needed."""
    data, featuriser = shop

    def make(**settings):
        model = make_log_model(featuriser, graph=False, history=False)
        return Trainer(model, data, make_config(**settings), folder=tmp_path, seed=1)

    return make


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ({"batch_weight": 0.0}, "uniform"),
        ({"uniform_weight": 0.0}, "batch"),
        ({"batch_weight": 0.0, "uniform_weight": 0.0, "hard_weight": 1.0}, "hard in-batch"),
        ({"batch_weight": 0.0, "uniform_weight": 0.0, "dynamic_weight": 1.0, "dynamic": SMALL}, "dynamic"),
        ({"ranking_weight": 0.0}, "no ranking"),
    ],
)
def test_each_source_and_loss_can_be_switched_off_alone(make_trainer, weights, expected):
    trainer = make_trainer(**weights)
    losses = [trainer.step(trainer.batches.batch(0)) for _ in range(8)]
    assert np.isfinite(losses).all(), expected
    assert losses[-1] < losses[0], expected


def test_what_needs_searches_is_refused_for_pairs(make_model, data, make_config, tmp_path):
    config = make_config(dynamic_weight=0.5, propensity_weighting=True)
    with pytest.raises(UsageError, match=r"learnt search by search.*dynamic_weight=0\.5, .*propensity.*by_search=true"):
        train(make_model(text=False), data, config, folder=tmp_path, seed=1)


def test_encodes_are_counted_with_pools_and_drawn_columns(make_trainer):
    plain, dynamic = make_trainer(), make_trainer(dynamic_weight=0.5, dynamic=SMALL)
    batch = plain.batches.batch(0)
    plain.step(batch)
    dynamic.step(dynamic.batches.batch(0))
    # A text that stands twice is encoded once.
    assert plain.objective.encoded == len(np.unique(batch.query_index)) + len(np.unique(batch.columns))
    assert plain.objective.encoded < len(batch.query_index) + len(batch.columns)
    added = dynamic.objective.encoded - plain.objective.encoded
    assert SMALL.pool_size < added <= SMALL.pool_size + SMALL.num_columns


def test_warm_up_encodes_no_dynamic_negatives(make_trainer):
    trainer = make_trainer(dynamic_weight=0.5, dynamic=SMALL, anneal_warmup_share=0.5, anneal_end_share=0.5)
    batch = trainer.batches.batch(0)
    trainer.step(batch)
    assert trainer.objective.encoded == len(np.unique(batch.query_index)) + len(np.unique(batch.columns))


def test_the_hinge_learns_its_scale_with_its_own_step_size(make_trainer):
    slow = make_trainer(hinge_weight=1.0, hinge=HingeConfig(learning_rate=1e-6))
    fast = make_trainer(hinge_weight=1.0, hinge=HingeConfig(learning_rate=0.05))
    for trainer in (slow, fast):
        for step in range(6):
            trainer.step(trainer.batches.batch(step))
    assert abs(fast.objective.cut_offs["shift"]) > 0.02
    assert abs(slow.objective.cut_offs["shift"]) < 1e-4
    cut_offs = [fast.objective.cut_offs[f"{stage}_cut_off"] for stage in ("random", "shown", "clicked", "ordered")]
    assert cut_offs == sorted(cut_offs)
    assert fast.objective.cut_offs["scale"] > 0


def test_the_hinge_pulls_stages_apart(shop, make_log_model, make_config, tmp_path):
    """With the hinge alone beside a faint retrieval loss, positives end above uniform products by their thresholds."""
    data, featuriser = shop
    model = make_log_model(featuriser, graph=False, history=False)
    config = make_config(
        hinge_weight=3.0, batch_weight=0.0, uniform_weight=1e-3, ranking_weight=0.0, num_skipped=128, epochs=4
    )
    trainer = Trainer(model, data, config, folder=tmp_path, seed=1)
    assert trainer.batches.num_skipped == 128

    def loss():
        batch = trainer.batches.batch(0)
        return trainer.step(batch)

    losses = [loss() for _ in range(25)]
    assert losses[-1] < 0.7 * losses[0]


def test_the_best_scale_is_kept_and_taken_back(shop, make_log_model, make_config):
    data, featuriser = shop
    config = make_config(hinge_weight=1.0)
    batches = LogBatchMaker(data, data.log, config, seed=1)
    objective, again = (Objective(make_log_model(featuriser), batches, config, seed=1) for _ in range(2))
    with torch.no_grad():
        objective.hinge.shift.fill_(0.25)
    objective.keep_best()
    with torch.no_grad():
        objective.hinge.shift.fill_(0.5)
    again.load_state_dict(objective.state_dict())
    assert again.cut_offs["shift"] == 0.5
    for one in (objective, again):
        one.take_best()
        assert one.cut_offs["shift"] == 0.25


def test_a_state_of_other_losses_is_refused(shop, make_log_model, make_config):
    data, featuriser = shop
    plain, hinged = make_config(), make_config(hinge_weight=1.0)
    batches = LogBatchMaker(data, data.log, plain, seed=1)
    objectives = [Objective(make_log_model(featuriser), batches, config, seed=1) for config in (plain, hinged)]
    with pytest.raises(RuntimeError, match="log_scale"):
        objectives[1].load_state_dict(objectives[0].state_dict())


def test_propensities_move_the_ranking_loss_alone(make_trainer):
    """The log's propensities fall with the place."""
    on, off = make_trainer(propensity_weighting=True), make_trainer()
    assert on.step(on.batches.batch(0)) != off.step(off.batches.batch(0))
    ranked = on.batches.batch(0).ranked
    assert ranked.inverse_propensity.max() > 1
    unranked = [make_trainer(propensity_weighting=weighted, ranking_weight=0.0) for weighted in (True, False)]
    assert len({one.step(one.batches.batch(0)) for one in unranked}) == 1


def test_a_log_without_orders_and_with_stages_missing_is_learnt(log_data, make_log_model, make_config, tmp_path):
    data, featuriser = log_data(orders=False)
    assert set(data.log.train.grade.tolist()) == {1.0, 2.0}
    config = make_config(epochs=2, dynamic_weight=0.5, dynamic=SMALL, hinge_weight=0.1)
    result = train(make_log_model(featuriser), data, config, folder=tmp_path, seed=1)
    assert result.history[-1]["loss"] < result.history[0]["loss"]
    none = make_config(stages=StageConfig(clicked=0.0))
    with pytest.raises(UsageError, match=r"clicked': \d+, 'favorited': 0, 'carted': 0, 'ordered': 0"):
        train(make_log_model(featuriser), data, none, folder=tmp_path, seed=1)


def objective_loss(trainer, *, tracked=False):
    batch = trainer.batches.batch(0)
    of_queries, of_products = trainer.batches.features(batch)
    queries, products = trainer.encoder.queries(of_queries), trainer.encoder.products(of_products)
    queries, products = (one.detach().requires_grad_(tracked) for one in (queries, products))
    encode = trainer.encoder.products
    loss, parts, *_ = trainer.objective.loss(batch, queries, products, step=0, progress=0.0, encode=encode)
    return loss, parts, queries, products


def test_smaller_sizes_add_the_losses_of_their_own_scores(make_trainer):
    whole, parts, *_ = objective_loss(make_trainer())
    both, with_prefix, *_ = objective_loss(make_trainer(prefix_dims=(8, 12), prefix_weight=0.5))
    assert "prefix_8" not in parts
    prefixes = with_prefix["prefix_8"] + with_prefix["prefix_12"]
    torch.testing.assert_close(both, whole + 0.5 * prefixes)
    assert with_prefix["prefix_8"] != with_prefix["prefix_12"]


def test_a_smaller_size_teaches_the_first_dimensions_of_every_part_more(make_trainer):
    _, _, queries, _ = found = objective_loss(make_trainer(), tracked=True)
    found[0].backward()
    whole = queries.grad
    trainer = make_trainer(prefix_dims=(8,), prefix_weight=1.0)
    loss, _, queries, _ = objective_loss(trainer, tracked=True)
    loss.backward()
    change = (queries.grad - whole).abs().sum(0)
    blocks = torch.split(change, trainer.model.network.fusion.served_dims)
    assert all(block[0] > 0 for block in blocks)


def test_a_smaller_size_that_a_part_has_no_dimension_for_is_refused_before_training(make_trainer):
    with pytest.raises(UsageError, match=r"leave every part a dimension.*dim=25"):
        make_trainer(prefix_dims=(12, 25))
