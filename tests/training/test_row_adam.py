import pytest
import torch

from aisle.training.row_adam import RowAdam

ROWS = ([0, 3, 3, 1], [3], [], [5, 0])


def gradient(rows, step):
    torch.manual_seed(step)
    size = (6, 2)
    return torch.sparse_coo_tensor(
        torch.tensor([rows], dtype=torch.int64), torch.randn(len(rows), 2), size, check_invariants=True
    )


def trained(kind, rows_of_steps, **settings):
    torch.manual_seed(0)
    table = torch.nn.Parameter(torch.randn(6, 2))
    optimiser = kind([table], lr=0.1, **settings)
    tables = [table.detach().clone()]
    for step, rows in enumerate(rows_of_steps):
        table.grad = gradient(rows, step)
        optimiser.step()
        tables.append(table.detach().clone())
    return optimiser, table, tables


def test_the_first_step_of_a_row_is_the_step_size_against_the_sign_and_other_rows_stay():
    _, _, (before, after) = trained(RowAdam, [[1, 4]])
    moved = (after - before)[[1, 4]]
    torch.testing.assert_close(moved, -0.1 * gradient([1, 4], 0).coalesce().values().sign(), atol=1e-5, rtol=0)
    assert torch.equal(after[[0, 2, 3, 5]], before[[0, 2, 3, 5]])


@pytest.mark.parametrize("settings", [{}, {"betas": (0.5, 0.7), "eps": 1e-3}])
def test_tables_and_moments_are_those_of_pytorch(settings):
    ours, theirs = (trained(kind, ROWS, **settings) for kind in (RowAdam, torch.optim.SparseAdam))
    for own, other in zip(ours[2], theirs[2], strict=True):
        torch.testing.assert_close(own, other)
    own, other = (one[0].state_dict()["state"][0] for one in (ours, theirs))
    assert own.keys() == other.keys()
    for name in ("exp_avg", "exp_avg_sq"):
        torch.testing.assert_close(own[name], other[name])


def test_a_run_goes_on_from_its_state():
    whole = trained(RowAdam, ROWS)
    half = trained(RowAdam, ROWS[:2])
    table = torch.nn.Parameter(half[1].detach().clone())
    again = RowAdam([table], lr=0.1)
    again.load_state_dict(half[0].state_dict())
    for step in (2, 3):
        table.grad = gradient(ROWS[step], step)
        again.step()
    assert torch.equal(table, whole[1])


def test_a_table_without_a_gradient_stays():
    table = torch.nn.Parameter(torch.ones(2, 2))
    optimiser = RowAdam([table], lr=0.1)
    optimiser.step()
    assert torch.equal(table, torch.ones(2, 2))
    assert not optimiser.state_dict()["state"]
