"""A table whose rows are summed, with a gradient that holds each row of a batch once."""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

__all__ = ["SummedRows"]


class SummedRows(nn.EmbeddingBag):
    """`torch.nn.EmbeddingBag` with ragged input and mode `sum`, whose sparse gradient is summed up row by row at once.

    PyTorch's sparse gradient has an entry for every index of the batch, which is made, joined with that of another
    look-up and sorted into rows after: half of the time of a step without a transformer. Here the gradient of a row is
    itself a weighted sum of the gradients of what came out, so the same kernel computes it. The values are PyTorch's
    but for the order in which they are added up.

    Args:
        num_rows: Rows of the table.
        dim: Dimensions of a row and of the output.
        sparse: Whether gradients touch only the rows of the batch.
        weight: The table's values; None: at random.
    """

    def __init__(self, num_rows: int, dim: int, *, sparse: bool = True, weight: Tensor | None = None) -> None:
        super().__init__(num_rows, dim, mode="sum", sparse=sparse, include_last_offset=True, _weight=weight)

    def forward(
        self,
        input: Int64[Tensor, " items"],  # noqa: A002 - PyTorch's name of it
        offsets: Int64[Tensor, " rows_plus_1"] | None = None,
        per_sample_weights: Float[Tensor, " items"] | None = None,
    ) -> Float[Tensor, "rows dim"]:
        """Sum rows of the table.

        Args:
            input: Which rows, those of the first sum first.
            offsets: Where each sum begins, and the end.
            per_sample_weights: Factor of each; None: 1.
        """
        assert offsets is not None
        learns_weights = per_sample_weights is not None and per_sample_weights.requires_grad
        if not self.sparse or learns_weights or torch.compiler.is_compiling():
            return super().forward(input, offsets, per_sample_weights)
        summed: Tensor = _Summed.apply(self.weight, input, offsets, per_sample_weights)  # type: ignore[no-untyped-call]
        return summed


class _Summed(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, table: Tensor, index: Tensor, offsets: Tensor, weight: Tensor | None) -> Tensor:
        ctx.save_for_backward(index, offsets, weight)
        ctx.num_rows = len(table)
        return _sums(table, index, offsets, weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        index, offsets, weight = ctx.saved_tensors
        order = index.argsort(stable=True)
        rows, count = torch.unique_consecutive(index[order], return_counts=True)
        ends = torch.cat([count.new_zeros(1), count.cumsum(0)])
        from_sum = torch.repeat_interleave(offsets.diff())[order]
        values = _sums(gradient.contiguous(), from_sum, ends, None if weight is None else weight[order])
        # Sorted and distinct as they are.
        summed = torch.sparse_coo_tensor(
            rows[None], values, (ctx.num_rows, values.shape[1]), is_coalesced=True, check_invariants=False
        )
        return summed, None, None, None


def _sums(table: Tensor, index: Tensor, offsets: Tensor, weight: Tensor | None) -> Tensor:
    return nn.functional.embedding_bag(
        index, table, offsets, mode="sum", per_sample_weights=weight, include_last_offset=True
    )
