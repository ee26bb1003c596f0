"""Weights of a trained model for a network of more queries and products."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import torch

from aisle.core.errors import ModelError
from aisle.towers.network import TowerNetwork
from aisle.towers.two_tower import TwoTower

__all__ = ["start_network_from"]


def start_network_from(network: TowerNetwork, start: TwoTower, *, query_texts: pa.Array, product_ids: pa.Array) -> None:
    """Give a network the weights of a trained model.

    Both have the same settings and features. Learnt rows of queries and products go by their ids, whatever their
    numbers were; those of new ones are zero, as at the start of any training.

    Args:
        network: What is to be trained on.
        start: The trained model.
        query_texts: Known queries, in the order of their index.
        product_ids: Known products, likewise.

    Raises:
        ModelError: If the weights do not fit.
    """
    state = dict(start.network.state_dict())
    for side, ids in (("query", query_texts), ("product", product_ids)):
        name = f"graph.learnt.{side}.weight"
        if name in state and start.tables is not None:
            table = start.tables.queries if side == "query" else start.tables.products
            state[name] = _by_id(state[name], table.rows_of(ids.to_pylist()))
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(
            "The model that is gone on from must have the settings of the new one",
            received={"problem": str(error).partition("\n")[0]},
            remedy="Give the recipe that it was trained with, or train anew without --from.",
        ) from error


def _by_id(learnt: torch.Tensor, row: np.ndarray) -> torch.Tensor:
    grown = learnt.new_zeros((len(row), learnt.shape[1]))
    # A row that a live service added to the table has none of its own.
    known = (row >= 0) & (row < len(learnt))
    grown[torch.from_numpy(np.flatnonzero(known))] = learnt[torch.from_numpy(row[known])]
    return grown
