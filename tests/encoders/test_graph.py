from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from aisle.core.errors import ShapeError
from aisle.encoders import GraphEncoder, NeighbourBatch

WORDS, CONTEXT, DIM = 5, 2, 4
BOTH = pytest.mark.parametrize("pooling", ["mean", "attention"])
SIDES = pytest.mark.parametrize("side", ["query", "product"])


def encoder(pooling="mean", *, trained=True, **settings):
    torch.manual_seed(0)
    built = GraphEncoder(word_dim=WORDS, context_dim=CONTEXT, dim=DIM, pooling=pooling, **settings)
    if trained:
        with torch.no_grad():
            for parameter in built.parameters():
                parameter.add_(torch.randn_like(parameter))
    return built.eval()


def batch(side="query", *, counts=(3, 0, 1, 4), seed=1):
    torch.manual_seed(seed)
    rows, width = len(counts), WORDS + CONTEXT * (side == "query")
    real = torch.arange(4) < torch.tensor(counts)[:, None]
    found = NeighbourBatch(torch.randn(rows, 4, width), torch.rand(rows, 4) + 0.1, real)
    return found, torch.randn(rows, WORDS)


@torch.no_grad()
@BOTH
@SIDES
def test_vectors_have_unit_length_and_rows_without_neighbours_their_sides_missing_vector(pooling, side):
    graph = encoder(pooling)
    neighbours, own = batch(side)
    found = graph(neighbours, own=own, side=side)
    assert found.shape == (4, DIM)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(4))
    torch.testing.assert_close(found[1:2], graph.unknown(1, side=side))
    torch.testing.assert_close(found[1], normalize(graph.missing[side], dim=0))


@torch.no_grad()
@SIDES
def test_the_mean_weighs_neighbours_by_their_edges(side):
    graph = encoder()
    neighbours, own = batch(side)
    weight, vectors = neighbours.weight[0, :3], neighbours.vectors[0, :3]
    pooled = (weight[:, None] * vectors).sum(0) / weight.sum()
    expected = graph.projection(pooled[:WORDS])
    if side == "query":
        expected = expected + graph.context(pooled[WORDS:])
    torch.testing.assert_close(graph(neighbours, own=own, side=side)[0], normalize(expected, dim=0))


@torch.no_grad()
def test_attention_starts_as_the_weighted_mean_and_then_asks_with_the_own_words():
    neighbours, own = batch()
    mean, attention = encoder(trained=False), encoder("attention", trained=False)
    attention.load_state_dict(mean.state_dict(), strict=False)
    torch.testing.assert_close(attention(neighbours, own=own, side="query"), mean(neighbours, own=own, side="query"))
    trained = encoder("attention")
    answers = [trained(neighbours, own=asked, side="query")[0] for asked in (own, -own)]
    assert not torch.allclose(*answers, atol=1e-2)


@torch.no_grad()
@BOTH
@settings(deadline=None, max_examples=20)
@given(order=st.permutations(range(4)))
def test_the_order_of_neighbours_does_not_matter(pooling, order):
    graph, (neighbours, own) = encoder(pooling), batch()
    order = list(order)
    shuffled = NeighbourBatch(neighbours.vectors[:, order], neighbours.weight[:, order], neighbours.real[:, order])
    expected = graph(neighbours, own=own, side="query")
    torch.testing.assert_close(graph(shuffled, own=own, side="query"), expected, atol=1e-5, rtol=0)


@torch.no_grad()
@BOTH
def test_what_stands_at_padding_changes_nothing(pooling):
    graph, (neighbours, own) = encoder(pooling), batch()
    padding = ~neighbours.real
    vectors = torch.where(padding[:, :, None], 1e6, neighbours.vectors)
    other = NeighbourBatch(vectors, torch.where(padding, 1e9, neighbours.weight), neighbours.real)
    expected = graph(neighbours, own=own, side="query")
    assert torch.equal(graph(other, own=own, side="query"), expected)
    longer = NeighbourBatch(
        *(torch.cat([part, part[:, :2]], dim=1) for part in (neighbours.vectors, neighbours.weight)),
        torch.cat([neighbours.real, torch.zeros(4, 2, dtype=torch.bool)], dim=1),
    )
    torch.testing.assert_close(graph(longer, own=own, side="query"), expected)


def test_padding_gets_no_gradient_and_the_missing_vector_learns_from_its_rows_alone():
    graph, (neighbours, own) = encoder("attention"), batch()
    vectors = neighbours.vectors.requires_grad_()
    found = graph(replace(neighbours, vectors=vectors), own=own, side="query")
    found[0].sum().backward(retain_graph=True)
    assert vectors.grad[0, 3].abs().sum() == 0
    assert vectors.grad[0, :3].abs().sum() > 0
    assert graph.missing["query"].grad.abs().sum() == 0
    found[1, 0].backward()
    assert graph.missing["query"].grad.abs().sum() > 0
    assert graph.missing["product"].grad is None


@torch.no_grad()
def test_both_sides_share_what_they_have_in_common_at_the_start():
    """A query whose neighbour has a vector, and a product whose neighbour has the same words, lie together."""
    graph = encoder(trained=False)
    word = torch.randn(1, 1, WORDS)
    real, weight, own = torch.ones(1, 1, dtype=torch.bool), torch.ones(1, 1), torch.zeros(1, WORDS)
    query = graph(NeighbourBatch(torch.cat([word, torch.randn(1, 1, CONTEXT)], 2), weight, real), own=own, side="query")
    product = graph(NeighbourBatch(word, weight, real), own=own, side="product")
    torch.testing.assert_close(query, product)


@torch.no_grad()
def test_cold_products_are_not_drawn_to_new_queries():
    torch.manual_seed(0)
    graph = GraphEncoder(word_dim=64, context_dim=0, dim=64)
    similarity = (graph.unknown(1, side="query") * graph.unknown(1, side="product")).sum()
    assert abs(similarity.item()) < 0.5


@torch.no_grad()
def test_drop_out_hides_neighbours_in_training_alone():
    neighbours, own = batch(counts=(4,) * 200)
    hidden = encoder(row_dropout=0.5)
    missing = hidden.unknown(1, side="query")
    assert not (hidden(neighbours, own=own, side="query") == missing).all(1).any()
    dropped = torch.isclose(hidden.train()(neighbours, own=own, side="query"), missing).all(1).float().mean()
    assert dropped == pytest.approx(0.5, abs=0.12)
    some = encoder(dropout=0.5).train()
    assert not torch.allclose(some(neighbours, own=own, side="query"), some.eval()(neighbours, own=own, side="query"))


@torch.no_grad()
def test_a_projection_can_start_from_the_data():
    graph = encoder()
    torch.manual_seed(2)
    vectors = torch.randn(30, WORDS) * torch.tensor([1.0, 1.0, 1.0, 1.0, 1e-3])
    graph.start_projection_from(vectors)
    projected = graph.projection(vectors)
    torch.testing.assert_close(projected @ projected.T, vectors @ vectors.T, atol=1e-2, rtol=0)


@torch.no_grad()
@BOTH
def test_no_rows_and_low_precision(pooling):
    graph, (neighbours, own) = encoder(pooling), batch()
    empty = NeighbourBatch(neighbours.vectors[:0], neighbours.weight[:0], neighbours.real[:0])
    assert graph(empty, own=own[:0], side="query").shape == (0, DIM)
    with torch.autocast("cpu", torch.bfloat16):
        found = graph(neighbours, own=own, side="query")
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, graph(neighbours, own=own, side="query"), atol=0.05, rtol=0)


LEARNT = (6, 5)
"""Known queries and products."""


def with_rows(pooling="mean", *, trained=True, **settings):
    """A graph with learnt rows, and the same one without."""
    frozen, learnt = encoder(pooling, **settings), encoder(pooling, num_learnt=LEARNT, **settings)
    assert {name for name in learnt.state_dict() if name not in frozen.state_dict()} == {
        "learnt.query.weight",
        "learnt.product.weight",
    }
    learnt.load_state_dict(frozen.state_dict(), strict=False)
    torch.manual_seed(8)
    for rows in (learnt.learnt_rows("query"), learnt.learnt_rows("product")):
        torch.nn.init.normal_(rows) if trained else torch.nn.init.zeros_(rows)
    return learnt, frozen


def indexed(side="query"):
    """Neighbours whose places are [0, 1, 2], none, [4] and [0, 4, past the end, -1 at padding]."""
    neighbours, own = batch(side)
    index = torch.tensor([[0, 1, 2, -1], [-1] * 4, [4, -1, -1, -1], [0, 4, 99, -1]])
    return replace(neighbours, index=index, real=index >= 0), own


def test_learnt_rows_start_at_zero_and_change_nothing_there():
    built = encoder(trained=False, num_learnt=LEARNT)
    assert [rows.shape for rows in (built.learnt_rows("query"), built.learnt_rows("product"))] == [(6, DIM), (5, DIM)]
    assert not built.learnt_rows("query").any()
    assert encoder().learnt_rows("query") is None
    # Nothing is drawn for them: what is made after them is as without them.
    torch.manual_seed(3)
    GraphEncoder(word_dim=WORDS, context_dim=CONTEXT, dim=DIM, num_learnt=LEARNT)
    after = torch.rand(3)
    torch.manual_seed(3)
    GraphEncoder(word_dim=WORDS, context_dim=CONTEXT, dim=DIM)
    assert torch.equal(torch.rand(3), after)


@torch.no_grad()
@BOTH
@SIDES
def test_rows_at_zero_are_frozen_vectors_bit_by_bit(pooling, side):
    learnt, frozen = with_rows(pooling, trained=False, dropout=0.3, row_dropout=0.2)
    neighbours, own = indexed(side)
    for graph in (learnt, frozen):
        graph.train()
    found = []
    for graph in (learnt, frozen):
        torch.manual_seed(5)
        found.append(graph(neighbours, own=own, side=side))
    assert torch.equal(*found)


@torch.no_grad()
@SIDES
def test_learnt_rows_of_neighbours_are_averaged_by_the_weight_of_their_edges(side):
    learnt, _ = with_rows()
    neighbours, own = indexed(side)
    rows = learnt.learnt_rows("product" if side == "query" else "query")
    weight, vectors = neighbours.weight[0, :3], neighbours.vectors[0, :3]
    share = weight / weight.sum()
    expected = learnt.projection(share @ vectors[:, :WORDS]) + share @ rows[:3]
    if side == "query":
        expected = expected + learnt.context(share @ vectors[:, WORDS:])
    torch.testing.assert_close(learnt(neighbours, own=own, side=side)[0], normalize(expected, dim=0))


@torch.no_grad()
def test_a_neighbour_that_came_later_has_no_row_and_a_row_without_neighbours_stays_missing():
    learnt, frozen = with_rows()
    neighbours, own = indexed()
    later = replace(neighbours, index=torch.where(neighbours.index >= 0, neighbours.index + 50, -1))
    expected = frozen(neighbours, own=own, side="query")
    torch.testing.assert_close(learnt(later, own=own, side="query"), expected)
    found = learnt(neighbours, own=own, side="query")
    assert not torch.allclose(found[0], expected[0], atol=1e-2)
    assert torch.equal(found[1], expected[1])


@BOTH
def test_only_rows_that_count_get_a_gradient(pooling):
    learnt, _ = with_rows(pooling)
    neighbours, own = indexed()
    learnt(neighbours, own=own, side="query")[2:].sum().backward()
    gradient = learnt.learnt_rows("product").grad
    assert gradient.is_sparse
    assert set(gradient.coalesce().indices()[0].tolist()) == {0, 1, 2, 4}
    moved = gradient.to_dense().abs().sum(1) > 0
    assert moved.tolist() == [True, False, False, False, True]
    assert learnt.learnt_rows("query").grad is None


def test_attention_learns_through_learnt_rows():
    learnt, _ = with_rows("attention")
    neighbours, own = indexed()
    still = replace(neighbours, vectors=neighbours.vectors.detach())
    learnt(still, own=own, side="query").sum().backward()
    assert learnt.attention.weight.grad.abs().sum() > 0


def test_neighbours_must_tell_where_they_stand():
    learnt, _ = with_rows()
    neighbours, own = batch()
    with pytest.raises(ShapeError, match=r"must tell where they stand\. Received: index=None"):
        learnt(neighbours, own=own, side="query")
