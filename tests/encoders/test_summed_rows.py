import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from aisle.encoders.summed_rows import SummedRows

SUMS = st.lists(st.lists(st.tuples(st.integers(0, 9), st.floats(-4, 4, width=32)), max_size=6), max_size=5)


def ragged(sums):
    index = torch.tensor([row for one in sums for row, _ in one], dtype=torch.int64)
    weight = torch.tensor([value for one in sums for _, value in one], dtype=torch.float32)
    return index, torch.tensor([0, *map(len, sums)], dtype=torch.int64).cumsum(0), weight


def tables():
    torch.manual_seed(0)
    ours = SummedRows(10, 3)
    theirs = nn.EmbeddingBag(10, 3, mode="sum", sparse=True, include_last_offset=True)
    theirs.load_state_dict(ours.state_dict())
    return ours, theirs


def test_a_row_that_stands_twice_has_one_gradient_the_sum_of_both():
    table = SummedRows(4, 1, weight=torch.tensor([[1.0], [10.0], [100.0], [1000.0]]))
    index, offsets = torch.tensor([3, 1, 3, 0]), torch.tensor([0, 2, 4])
    summed = table(index, offsets, torch.tensor([1.0, 2.0, 0.5, 1.0]))
    assert summed.tolist() == [[1020.0], [501.0]]
    (summed * torch.tensor([[1.0], [4.0]])).sum().backward()
    gradient = table.weight.grad
    assert gradient.is_sparse
    # As it is, not summed up by the look at it.
    assert gradient._indices().tolist() == [[0, 1, 3]]
    assert gradient._values().tolist() == [[4.0], [2.0], [3.0]]


@pytest.mark.parametrize("is_weighted", [True, False])
@settings(deadline=None)
@given(SUMS)
def test_sums_and_gradients_are_those_of_pytorch(is_weighted, sums):
    index, offsets, weight = ragged(sums)
    found = []
    for table in tables():
        summed = table(index, offsets, weight if is_weighted else None)
        (summed * torch.arange(1.0, 4.0)).sum().backward()
        found.append((summed, table.weight.grad.to_dense()))
    assert torch.equal(found[0][0], found[1][0])
    torch.testing.assert_close(found[0][1], found[1][1])


def test_gradients_of_several_looks_add_up():
    for table in tables():
        for rows in ([1, 2], [2]):
            table(torch.tensor(rows), torch.tensor([0, len(rows)])).sum().backward()
        assert table.weight.grad.to_dense()[:4, 0].tolist() == [0.0, 1.0, 2.0, 0.0]


def test_factors_that_are_learnt_have_their_gradient_too():
    found = []
    for table in tables():
        weight = torch.tensor([1.0, 2.0], requires_grad=True)
        table(torch.tensor([1, 2]), torch.tensor([0, 2]), weight).sum().backward()
        found.append(weight.grad)
    assert found[0].abs().min() > 0
    assert torch.equal(*found)


def test_a_table_may_have_dense_gradients():
    table = SummedRows(4, 2, sparse=False)
    table(torch.tensor([1]), torch.tensor([0, 1])).sum().backward()
    assert not table.weight.grad.is_sparse
    assert table.weight.grad.tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]]
