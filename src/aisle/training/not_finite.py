"""What stops a run whose numbers are no longer numbers, and keeps the batch to be looked at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float
from torch import Tensor

from aisle.core.errors import TrainingError
from aisle.training.batches import Batch
from aisle.training.data import TrainingData

__all__ = ["BAD_BATCH", "forget_bad_batch", "stop_on_bad_batch"]

BAD_BATCH = "bad_batch"
"""Name of the files, `.npz` for arrays and `.json` for the rest, in the run's folder."""


def stop_on_bad_batch(
    folder: Path | None,
    batch: Batch,
    scores: Float[Tensor, "rows columns"],
    data: TrainingData,
    *,
    numbers: Mapping[str, Any],
) -> None:
    """Save a batch whose loss or gradient is not finite, and stop.

    Args:
        folder: The run's folder; None where another process saves the batch.
        batch: The batch.
        scores: Score of every row against every column.
        data: Names the queries and products.
        numbers: Step, loss, gradient norms and step sizes.

    Raises:
        TrainingError: Always.
    """
    bad_rows = np.flatnonzero(~np.isfinite(scores.detach().float().cpu().numpy()).all(axis=1))
    if folder is not None:
        _save(folder, batch, scores, data, numbers={**numbers, "rows_with_scores_not_finite": bad_rows.tolist()})
    raise TrainingError(
        "Loss and gradient of every step must be finite",
        received={
            **numbers,
            "rows_with_scores_not_finite": len(bad_rows),
            "batch": "saved by the first process" if folder is None else str(folder / f"{BAD_BATCH}.npz"),
        },
        remedy="Look at the batch. Then lower the learning rates or set train.bf16=false, which starts training again; "
        "with the same settings it goes on from the last checkpoint, which is from before this step.",
    )


def forget_bad_batch(folder: Path) -> None:
    """Delete what an earlier try saved."""
    for suffix in (".npz", ".json"):
        (folder / f"{BAD_BATCH}{suffix}").unlink(missing_ok=True)


def _save(
    folder: Path,
    batch: Batch,
    scores: Float[Tensor, "rows columns"],
    data: TrainingData,
    *,
    numbers: Mapping[str, Any],
) -> None:
    arrays: dict[str, np.ndarray] = {
        "scores": scores.detach().float().cpu().numpy(),
        "query_index": batch.query_index,
        "product_index": batch.product_index,
        "column_product_index": _columns(batch),
        "weight": batch.weight,
    }
    np.savez_compressed(folder / f"{BAD_BATCH}.npz", **arrays)  # type: ignore[arg-type]
    texts = data.pairs.queries.take(pa.array(batch.query_index)).to_pylist()
    told = {
        **{name: value if isinstance(value, list | int) else repr(value) for name, value in numbers.items()},
        "snapshot": getattr(batch, "snapshot", None),
        "queries": texts,
        "products": data.product_ids.take(pa.array(batch.product_index)).to_pylist() if data.product_ids else None,
    }
    (folder / f"{BAD_BATCH}.json").write_text(json.dumps(told, indent=1), encoding="utf-8")


def _columns(batch: Batch) -> np.ndarray:
    return batch.columns if batch.mined is None else np.concatenate([batch.columns, batch.mined.product_index])
