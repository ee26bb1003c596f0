"""Adding up gradients over processes, dense ones in one go, those of tables row by row."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from aisle.training.processes import Processes

__all__ = ["add_up_gradients", "rows_of"]


def add_up_gradients(dense: Sequence[Tensor], tables: Sequence[Tensor], processes: Processes) -> None:
    """Replace every gradient by its sum over all processes.

    A weight that no process has used keeps no gradient, so that neither momentum nor decay moves it; one that another
    process has used gets one.

    Args:
        dense: Weights with dense gradients, of one type and device.
        tables: Weights whose gradients are sparse: the rows that have one are gathered, never the whole table. That
            works by gloo and by NCCL, which has no sparse sums.
        processes: Whose gradients; all of them give the same weights in the same order.

    Raises:
        TrainingError: If another process has ended.
    """
    if processes.number == 1:
        return
    _add_up_dense(dense, processes)
    for table in tables:
        _add_up_rows(table, processes)


def rows_of(gradient: Tensor) -> Tensor:
    """Return a table's gradient as one of distinct rows, sparse; of a dense one those that are not all zero."""
    if gradient.is_sparse:
        return gradient.coalesce()
    rows = gradient.any(dim=1).nonzero().squeeze(1)
    return torch.sparse_coo_tensor(
        rows[None], gradient[rows], gradient.shape, is_coalesced=True, check_invariants=False
    )


def _add_up_dense(weights: Sequence[Tensor], processes: Processes) -> None:
    if not weights:
        return
    is_used = torch.tensor([weight.grad is not None for weight in weights], device=weights[0].device)
    flat = [weight.new_zeros(weight.numel()) if weight.grad is None else weight.grad.flatten() for weight in weights]
    joined = torch.cat([*flat, is_used.to(flat[0].dtype)])
    processes.add_up(joined)
    *summed, used_by = torch.split(joined, [*(len(one) for one in flat), len(weights)])
    for weight, total, num_users in zip(weights, summed, used_by.tolist(), strict=True):
        weight.grad = total.view_as(weight) if num_users else None


def _add_up_rows(table: Tensor, processes: Processes) -> None:
    own = None if table.grad is None else rows_of(table.grad)
    sizes = torch.zeros(processes.number, dtype=torch.int64, device=table.device)
    sizes[processes.rank] = 0 if own is None else len(own.values())
    processes.add_up(sizes)
    most = int(sizes.max())
    if not most:
        # Rows of none: as one process alone has them, which may be no gradient at all.
        return
    index = table.new_zeros(0, dtype=torch.int64) if own is None else own.indices()[0]
    values = table.new_zeros(0, *table.shape[1:]) if own is None else own.values()
    is_real = (torch.arange(most, device=table.device) < sizes[:, None]).flatten()
    rows = processes.gather(index, most=most)[is_real]
    summed = processes.gather(values, most=most)[is_real]
    table.grad = torch.sparse_coo_tensor(rows[None], summed, table.shape, check_invariants=False)
