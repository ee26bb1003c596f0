import math

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from aisle.encoders.config import (
    ContextEncoderConfig,
    GraphEncoderConfig,
    HistoryEncoderConfig,
    TermEncoderConfig,
    TextEncoderConfig,
)
from aisle.features import ContextConfig, ContextFeaturiser, FeatureConfig, Featuriser, TermConfig
from aisle.towers import LOG_CHANNELS, ConcatFusion, PostFusion, TowerConfig, TowerNetwork, feature_batch
from aisle.training import TrainConfig
from aisle.training.optimisers import Optimisers, clip_sparse_norm, schedule

TERM_LR, TEXT_LR, FUSION_LR = 0.03, 0.002, 0.0005


def optimisers_of(model, *, weight_decay=0.0, clip=1e9):
    towers = TowerConfig(term=TermEncoderConfig(learning_rate=TERM_LR), text=TextEncoderConfig(learning_rate=TEXT_LR))
    config = TrainConfig(fusion_learning_rate=FUSION_LR, weight_decay=weight_decay, gradient_clip=clip)
    return Optimisers(model.network, towers, config)


def backward(network, data, *, rows=20):
    """Send a gradient through every part of both towers."""
    batch = feature_batch(data.query_features.take(np.arange(rows)), torch.device("cpu"))
    products = feature_batch(data.product_features.take(np.arange(rows)), torch.device("cpu"))
    (network.query(batch) * network.product(products).detach()).sum().neg().backward()


def changes(network, before):
    return {name: (value - before[name]) for name, value in network.state_dict().items()}


def copy_of(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def largest(found, start):
    return max(change.abs().max().item() for name, change in found.items() if name.startswith(start))


@pytest.mark.parametrize("factor", [1.0, 0.25])
def test_each_part_has_its_own_step_size(make_model, data, factor):
    """Adam's first step is as long as its step size, whatever the gradient."""
    model = make_model()
    before = copy_of(model.network)
    optimisers = optimisers_of(model)
    backward(model.network, data)
    optimisers.step(factor)
    found = changes(model.network, before)
    for start, lr in (("term.table", TERM_LR), ("text.", TEXT_LR), ("fusion.", FUSION_LR)):
        assert largest(found, start) == pytest.approx(factor * lr, rel=1e-3), start


def test_factors_do_not_add_up(make_model, data):
    model = make_model(text=False)
    optimisers = optimisers_of(model)
    for _ in range(3):
        backward(model.network, data)
        optimisers.step(0.5)
    assert [group["lr"] for one in optimisers._all() for group in one.param_groups] == pytest.approx(
        [0.5 * FUSION_LR, 0.5 * FUSION_LR, 0.5 * FUSION_LR, 0.5 * TERM_LR]
    )


@pytest.mark.parametrize("parts", [{"term": True, "text": False}, {"term": False, "text": True}])
@pytest.mark.parametrize("fusion", ["post", "concat"])
def test_one_part_alone_is_stepped(make_model, data, parts, fusion):
    model = make_model(fusion=fusion, **parts)
    before = copy_of(model.network)
    optimisers = optimisers_of(model)
    backward(model.network, data)
    optimisers.step(1.0)
    found = changes(model.network, before)
    assert {name.split(".")[0] for name in found} == {"fusion", *(name for name, on in parts.items() if on)}
    lr = TERM_LR if parts["term"] else TEXT_LR
    assert largest(found, "term.table" if parts["term"] else "text.") == pytest.approx(lr, rel=1e-3)
    assert all(parameter.grad is None for parameter in model.network.parameters())


def test_only_rows_of_the_batch_move_in_the_table(make_model, data):
    model = make_model(text=False)
    before = copy_of(model.network)
    optimisers = optimisers_of(model)
    backward(model.network, data, rows=2)
    optimisers.step(1.0)
    moved = changes(model.network, before)["term.table.weight"].abs().sum(1) > 0
    seen = set(data.query_features.take(np.arange(2)).terms.bucket.tolist())
    assert set(torch.nonzero(moved).flatten().tolist()) == seen


class FakeText(nn.Module):
    """Names and shapes of a checkpoint's parts."""

    def __init__(self):
        super().__init__()
        self.embeddings = nn.Embedding(3, 4)
        self.position_bias = nn.Parameter(torch.ones(2, 4))
        self.tokens = nn.Embedding(3, 4)
        self.dense = nn.Linear(4, 4)
        self.norm = nn.LayerNorm(4)
        self.frozen = False


def test_weight_decay_shrinks_matrices_alone():
    network = TowerNetwork(None, FakeText(), PostFusion({"text": 4}))
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.fill_(2.0)
    towers = TowerConfig(text=TextEncoderConfig(learning_rate=0.1))
    optimisers = Optimisers(network, towers, TrainConfig(fusion_learning_rate=0.2, weight_decay=0.5))
    for parameter in network.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimisers.step(1.0)
    values = {name: parameter.flatten()[0].item() for name, parameter in network.named_parameters()}
    # Decoupled: a weight is multiplied by 1 − step size · decay.
    decayed = {"text.dense.weight": 1.9, "fusion.gate.weight": 1.8, "fusion.corrections.text.weight": 1.8}
    assert values == pytest.approx({name: decayed.get(name, 2.0) for name in values})


def test_channels_have_their_own_step_sizes_and_every_parameter_one_place():
    products = pa.table({"title": ["red shoe", "hat"], "brand": ["Acme", "Acme"]})
    context = ContextFeaturiser.fit(products, ContextConfig())
    features = FeatureConfig(term=TermConfig(num_buckets=50))
    towers = TowerConfig(
        embedding_dim=16,
        term=TermEncoderConfig(learning_rate=0.01),
        graph=GraphEncoderConfig(learning_rate=0.02),
        context=ContextEncoderConfig(learning_rate=0.03, table_learning_rate=0.04),
        history=HistoryEncoderConfig(dim=8, learning_rate=0.05),
    ).with_data(LOG_CHANNELS)
    network = TowerNetwork.build(towers, Featuriser.fit(products, features, text=False, context=context))
    optimisers = Optimisers(network, towers, TrainConfig(fusion_learning_rate=0.06))
    step_size = {id(p): group["lr"] for one in optimisers._all() for group in one.param_groups for p in group["params"]}
    expected = {"graph": 0.02, "context": 0.03, "history": 0.05, "fusion": 0.06, "term": 0.06}
    tables = {"term.table.weight": 0.01, "context.table.weight": 0.04}
    found = {name: step_size.pop(id(parameter)) for name, parameter in network.named_parameters()}
    assert found == {name: tables.get(name, expected[name.split(".")[0]]) for name in found}
    assert step_size == {}
    decayed = {id(p) for group in optimisers._dense.param_groups if group["weight_decay"] for p in group["params"]}
    names = {name for name, parameter in network.named_parameters() if id(parameter) in decayed}
    assert {name for name in names if "embeddings" in name or "missing" in name} == set()
    assert "graph.projection.weight" in names


def test_real_embeddings_are_not_decayed(make_model):
    model = make_model(fusion="concat")
    assert isinstance(model.network.fusion, ConcatFusion)
    before = copy_of(model.network)
    optimisers = optimisers_of(model, weight_decay=0.5)
    for name, parameter in model.network.named_parameters():
        parameter.grad = None if name == "term.table.weight" else torch.zeros_like(parameter)
    optimisers.step(1.0)
    shrunk = {name for name, change in changes(model.network, before).items() if change.abs().max() > 0}
    matrices = {name for name, parameter in model.network.named_parameters() if parameter.ndim == 2}
    assert shrunk == matrices - {"term.table.weight", "text.transformer.tokens.weight", "text.transformer.positions"}


def test_dense_gradients_are_clipped_together(make_model, data, monkeypatch):
    model = make_model()
    seen = {}
    optimisers = optimisers_of(model, clip=0.01)
    monkeypatch.setattr(
        optimisers._dense,
        "step",
        lambda: seen.update(
            norm=math.sqrt(
                sum(
                    parameter.grad.norm().item() ** 2
                    for name, parameter in model.network.named_parameters()
                    if name != "term.table.weight" and parameter.grad is not None
                )
            ),
            table=model.network.term.table.weight.grad.coalesce().values().norm().item(),
        ),
    )
    backward(model.network, data)
    norms = optimisers.clip()
    optimisers.step(1.0)
    assert seen == pytest.approx({"norm": 0.01, "table": 0.01}, rel=1e-4)
    assert len(norms) == 2
    assert min(norms) > 0.01


def test_what_is_learnt_beside_the_network_has_its_own_step_size_and_clip(make_model, data):
    model, beside = make_model(), nn.Parameter(torch.zeros(()))
    towers, config = model.config, TrainConfig(gradient_clip=0.5)
    optimisers = Optimisers(model.network, towers, config, beside=[{"params": [beside], "lr": 0.25}])
    backward(model.network, data)
    alone = optimisers.clip()
    beside.grad = torch.tensor(1000.0)
    norms = optimisers.clip()
    assert norms[-1] == 1000.0
    assert beside.grad == pytest.approx(0.5)
    assert norms[0] == pytest.approx(min(alone[0], 0.5), rel=1e-4)
    optimisers.step(0.5)
    assert beside.item() == pytest.approx(-0.125)
    assert 0.125 in optimisers.learning_rates(0.5)


def table_with_gradient(rows, values):
    table = nn.Parameter(torch.zeros(6, 2))
    table.grad = torch.sparse_coo_tensor(
        torch.tensor([rows], dtype=torch.int64), torch.tensor(values).reshape(-1, 2), (6, 2), check_invariants=True
    )
    return table


def test_a_row_that_stands_twice_counts_as_one_row():
    # The row's gradient is (3, 0) + (0, 4) = (3, 4): norm 5. Uncoalesced, two rows of norm 3 and 4 would be the same,
    # so the second table adds what cancels.
    clipped, cancelled = (
        table_with_gradient([1, 1], [[3.0, 0.0], [0.0, 4.0]]),
        table_with_gradient([2, 2, 0], [[9.0, 9.0], [-9.0, -9.0], [0.3, 0.4]]),
    )
    clip_sparse_norm([clipped, cancelled], 1.0)
    assert clipped.grad.to_dense()[1].tolist() == pytest.approx([0.6, 0.8])
    assert cancelled.grad.to_dense()[0].tolist() == pytest.approx([0.3, 0.4])
    assert clipped.grad.is_coalesced()


def test_tables_without_a_gradient_are_left_alone():
    table = nn.Parameter(torch.ones(3, 2))
    clip_sparse_norm([table], 1.0)
    assert table.grad is None


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(-5, 5, width=32), st.floats(-5, 5, width=32)), max_size=10),
    st.sampled_from([0.1, 1.0, 100.0]),
)
def test_clipping_agrees_with_the_dense_computation(entries, most):
    table = table_with_gradient([row for row, _, _ in entries], [[a, b] for _, a, b in entries])
    dense = nn.Parameter(torch.zeros(6, 2))
    dense.grad = table.grad.to_dense()
    clip_sparse_norm([table], most)
    nn.utils.clip_grad_norm_([dense], most)
    torch.testing.assert_close(table.grad.to_dense(), dense.grad, rtol=1e-4, atol=1e-5)


def test_schedule_rises_and_falls_by_hand():
    factors = [schedule(step, planned_steps=12, warmup_share=0.2) for step in range(12)]
    # Warm-up is round(2.4) = 2 steps; the fall takes the other 10.
    assert factors == pytest.approx([0.5, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05])
    assert schedule(50, planned_steps=12, warmup_share=0.2) == 0.05


def test_schedule_without_warm_up_begins_near_its_peak():
    assert schedule(0, planned_steps=10, warmup_share=0.0) == 1.0
    assert schedule(1, planned_steps=10, warmup_share=0.0) == pytest.approx(8 / 9)


def test_schedule_of_one_step_and_of_warm_up_alone():
    assert schedule(0, planned_steps=1, warmup_share=0.5) == 1.0
    assert [schedule(step, planned_steps=4, warmup_share=1.0) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]


@given(st.integers(1, 500), st.floats(0, 1))
def test_schedule_has_one_peak_and_stays_in_bounds(planned, share):
    factors = torch.tensor([schedule(step, planned_steps=planned, warmup_share=share) for step in range(planned + 2)])
    peak = int(factors.argmax())
    assert factors.max() == 1.0
    assert factors.min() > 0
    assert (factors[: peak + 1].diff() >= 0).all()
    assert (factors[peak:].diff() <= 0).all()


def test_states_return_into_a_fresh_optimiser(make_model, data):
    """Steps after a restart are those of an unbroken run, bit by bit, and forget nothing of the moments."""
    unbroken, broken = make_model(), make_model()
    one, other = optimisers_of(unbroken), optimisers_of(broken)
    for step in range(4):
        if step == 2:
            states = other.state_dict()
            other = optimisers_of(broken)
            other.load_state_dict(states)
        for model, optimisers in ((unbroken, one), (broken, other)):
            backward(model.network, data)
            optimisers.step(0.5 + step / 10)
    for name, value in unbroken.network.state_dict().items():
        assert torch.equal(value, broken.network.state_dict()[name]), name


def test_learnt_rows_of_neighbours_have_a_step_size_and_a_clip_of_their_own():
    products = pa.table({"title": ["red shoe", "hat"]})
    graph = GraphEncoderConfig(vectors="trained", learning_rate=0.02, table_learning_rate=0.07)
    towers = TowerConfig(embedding_dim=16, graph=graph).with_data(["graph"])
    features = Featuriser.fit(products, FeatureConfig(term=TermConfig(num_buckets=50)), text=False)
    network = TowerNetwork.build(towers, features, num_known=(4, 3))
    optimisers = Optimisers(network, towers, TrainConfig(gradient_clip=0.5))
    assert optimisers.peaks()["graph rows"] == 0.07
    assert optimisers.peaks()["graph"] == 0.02
    rows = network.graph.learnt_rows("product")
    values = torch.full((2, rows.shape[1]), 3.0)
    rows.grad = torch.sparse_coo_tensor(torch.tensor([[1, 1]]), values, rows.shape, check_invariants=True)
    norm = 6 * rows.shape[1] ** 0.5
    assert optimisers.clip()[1:] == pytest.approx([norm])
    assert rows.grad.to_dense().norm().item() == pytest.approx(0.5)
    optimisers.step(1.0)
    moved = rows.detach().abs().amax(1)
    assert moved.tolist() == pytest.approx([0, 0.07, 0], rel=1e-3)


def test_a_frozen_transformer_is_neither_moved_nor_kept_state_of(make_model, data):
    model = make_model()
    model.network.text.frozen = True
    model.network.text.transformer.requires_grad_(False)
    before = copy_of(model.network)
    optimisers = optimisers_of(model, weight_decay=0.5)
    backward(model.network, data)
    optimisers.step(1.0)
    found = changes(model.network, before)
    assert largest(found, "text.transformer") == 0 < largest(found, "text.projection")
    of_text = sum(len(group["params"]) for group in optimisers._dense.param_groups if group["name"] == "text")
    assert of_text == 1
