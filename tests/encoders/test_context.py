import pytest
import torch
from torch.nn.functional import normalize

from aisle.encoders import ContextEncoder


def encoder(dim=6, *, trained=False, **settings):
    torch.manual_seed(0)
    built = ContextEncoder(20, dim, hidden_dim=8, **settings)
    if trained:
        torch.nn.init.normal_(built.correction[-1].weight)
    return built


IDS = torch.tensor([[0, 5, 9], [1, 5, 9], [2, 6, 10]])


def test_a_product_starts_as_the_direction_of_the_sum_of_its_fields():
    context = encoder()
    by_hand = normalize(context.table.weight[IDS].sum(1), dim=1)
    torch.testing.assert_close(context(IDS), by_hand)
    assert not torch.allclose(encoder(trained=True)(IDS), by_hand, atol=1e-2)


@pytest.mark.parametrize("trained", [False, True])
def test_vectors_have_unit_length(trained):
    context = encoder(trained=trained)
    torch.testing.assert_close(context(IDS).norm(dim=1), torch.ones(3))
    searches = context.searches(torch.tensor([[9, -1], [-1, -1], [9, 12]]))
    torch.testing.assert_close(searches.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(context.unknown(2).norm(dim=1), torch.ones(2))


def test_a_search_is_the_sum_of_what_is_known_of_it_in_the_products_table():
    context = encoder()
    table, found = context.table.weight, context.searches(torch.tensor([[9, -1], [9, 12], [-1, 12]]))
    torch.testing.assert_close(found, normalize(torch.stack([table[9], table[9] + table[12], table[12]]), dim=1))


def test_a_search_of_which_nothing_is_known_is_a_learnt_vector_of_its_own():
    context = encoder()
    found = context.searches(torch.tensor([[-1, -1], [9, -1]]))
    torch.testing.assert_close(found[:1], context.unknown(1))
    assert found[0].abs().min() > 0
    found[1].sum().backward(retain_graph=True)
    assert context.missing.grad.abs().sum() == 0
    found[0, 0].backward()
    assert context.missing.grad.abs().sum() > 0


def test_past_products_are_where_a_search_starts():
    context = encoder(reads_past=True)
    torch.manual_seed(1)
    past = torch.randn(4, 6)
    past[2:] = 0
    found = context.searches(torch.tensor([[9, -1], [-1, -1], [9, -1], [-1, -1]]), past)
    place = context.table.weight[9]
    expected = torch.stack([place + past[0], past[1], place, context.missing])
    torch.testing.assert_close(found, normalize(expected, dim=1))
    found[0, 0].backward()
    assert context.past.weight.grad.abs().sum() > 0


def test_a_model_without_history_does_not_read_the_past():
    context, ids = encoder(), torch.tensor([[9, -1]])
    assert torch.equal(context.searches(ids, torch.randn(1, 6)), context.searches(ids))


def test_a_field_of_a_product_that_is_missing_learns():
    context = encoder(sparse=False)
    context(IDS)[0, 0].backward()
    assert (context.table.weight.grad[IDS[0]].abs().sum(1) > 0).all()


def test_only_rows_of_the_batch_get_a_gradient():
    context = encoder()
    context(IDS)[:, 0].sum().backward()
    assert sorted(context.table.weight.grad.coalesce().indices()[0].tolist()) == [0, 1, 2, 5, 6, 9, 10]


def test_no_rows():
    context = encoder()
    assert context(torch.zeros((0, 3), dtype=torch.int64)).shape == (0, 6)
    assert context.searches(torch.zeros((0, 2), dtype=torch.int64)).shape == (0, 6)
