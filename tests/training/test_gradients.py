import dataclasses

import torch

from aisle.training.gradients import add_up_gradients, rows_of
from aisle.training.processes import ONE_PROCESS, Processes


@dataclasses.dataclass(frozen=True)
class Twin(Processes):
    """One of two processes, the other of which has the very same tensors."""

    number: int = 2

    def add_up(self, tensor):
        # Counts of rows stand one behind the other: the other's are ours.
        tensor.fill_(tensor.sum()) if tensor.dtype == torch.int64 else tensor.mul_(2)

    def gather(self, own, *, most):
        padded = own.new_zeros((most, *own.shape[1:]))
        padded[: len(own)] = own
        return torch.cat([padded, padded])


def table_with(rows, values):
    table = torch.zeros(5, 2, requires_grad=True)
    table.grad = torch.sparse_coo_tensor(torch.tensor([rows]), torch.tensor(values), (5, 2), check_invariants=True)
    return table


def test_rows_of_a_sparse_gradient_are_distinct():
    gradient = rows_of(table_with([3, 1, 3], [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]).grad)
    assert gradient.is_coalesced()
    assert gradient.indices().tolist() == [[1, 3]]
    assert gradient.values().tolist() == [[0, 2], [2, 1]]


def test_rows_of_a_dense_gradient_are_those_that_move():
    dense = torch.tensor([[0.0, 0.0], [0.0, -2.0], [0.0, 0.0], [2.0, 1.0]])
    gradient = rows_of(dense)
    assert gradient.indices().tolist() == [[1, 3]]
    assert torch.equal(gradient.to_dense(), dense)


def test_rows_that_are_not_finite_are_kept():
    assert rows_of(torch.tensor([[0.0, torch.nan], [0.0, 0.0]])).indices().tolist() == [[0]]


def test_dense_gradients_are_added_up_and_what_nobody_uses_has_none():
    used, unused, other = (torch.zeros(shape, requires_grad=True) for shape in ((2, 3), (4,), (3,)))
    used.grad, other.grad = torch.ones(2, 3), torch.tensor([1.0, 2.0, 3.0])
    add_up_gradients([used, unused, other], [], Twin())
    assert used.grad.tolist() == [[2, 2, 2]] * 2
    assert unused.grad is None
    assert other.grad.tolist() == [2, 4, 6]


def test_rows_of_tables_are_added_up():
    table = table_with([3, 1, 3], [[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]])
    expected = 2 * table.grad.to_dense()
    add_up_gradients([], [table], Twin())
    assert torch.equal(table.grad.to_dense(), expected)
    assert len(table.grad.coalesce().values()) == 2


def test_a_table_that_nobody_uses_keeps_no_gradient():
    table = torch.zeros(5, 2, requires_grad=True)
    add_up_gradients([], [table], Twin())
    assert table.grad is None


def test_one_process_keeps_its_gradients():
    weight = torch.zeros(2, requires_grad=True)
    weight.grad = gradient = torch.ones(2)
    add_up_gradients([weight], [], ONE_PROCESS)
    assert weight.grad is gradient
