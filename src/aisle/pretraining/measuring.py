"""Held-out measures of pre-training: what it has learnt that it was not shown."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from aisle.core.rng import generator
from aisle.features import Tokens
from aisle.pretraining.config import PretrainConfig
from aisle.pretraining.data import PretrainData
from aisle.pretraining.network import PretrainNetwork

__all__ = ["MEASURES", "held_out_measures"]

MEASURES = {"masked": "masked_accuracy", "contrastive": "contrastive_recall", "sequence": "sequence_accuracy"}
"""Objective → its held-out measure: the share of hidden tokens that are guessed, of queries that find their product
among the first ten, of a query's tokens that are written right after the right ones before. All in 0..1."""

_PLACES = 10
_ROWS_AT_ONCE = 256


@torch.inference_mode()
def held_out_measures(
    network: PretrainNetwork, data: PretrainData, config: PretrainConfig, *, seed: int
) -> dict[str, float]:
    """Measure every objective that is on.

    The same tokens are hidden at every validation, and the same products are told apart.

    Args:
        network: In whatever mode; drop-out is off while it is measured.
        data: Its held-out rows are read.
        config: Which objectives are on.
        seed: Seed of the run.
    """
    network.eval()
    measure: dict[str, Callable[[], float]] = {
        "masked": lambda: _masked_accuracy(network, data, share=config.mask_share, seed=seed),
        "contrastive": lambda: _contrastive_recall(network, data, most=config.max_held_out),
        "sequence": lambda: _sequence_accuracy(network, data),
    }
    return {MEASURES[name]: measure[name]() for name, weight in config.weights.items() if weight}


def _masked_accuracy(network: PretrainNetwork, data: PretrainData, *, share: float, seed: int) -> float:
    right = [
        network.guess_hidden(
            data.texts.take(rows), data, share=share, rng=generator(seed, "held-out mask", start)
        ).right
        for start, rows in _blocks(data.text_split.held_out)
    ]
    return _mean(torch.cat(right))


def _contrastive_recall(network: PretrainNetwork, data: PretrainData, *, most: int) -> float:
    """Rank each held-out pair's product among those of the held-out pairs, filled up with others of the catalogue."""
    pairs = data.pairs
    rows = pairs.split.held_out
    wanted = np.unique(pairs.product_index[rows])
    others = np.setdiff1d(np.unique(pairs.product_index), wanted)
    room = max(0, min(most - len(wanted), len(others)))
    columns = np.union1d(wanted, others[np.linspace(0, len(others) - 1, room).astype(np.int64)])
    queries, place = np.unique(pairs.query_index[rows], return_inverse=True)
    scores = (_embedded(network, pairs.queries, queries) @ _embedded(network, data.products, columns).T)[place]
    own = np.take_along_axis(scores, np.searchsorted(columns, pairs.product_index[rows])[:, None], axis=1)
    known = pairs.known.contains(pairs.query_index[rows], np.broadcast_to(columns, scores.shape))
    return float(np.mean(((scores > own) & ~known).sum(axis=1) < _PLACES))


def _sequence_accuracy(network: PretrainNetwork, data: PretrainData) -> float:
    found = data.purchases
    right = []
    for _, rows in _blocks(found.split.held_out):
        queries, products = found.queries.take(found.query_index[rows]), data.products.take(found.product_index[rows])
        right.append(network.write_queries(queries, products)[0].right)
    return _mean(torch.cat(right))


def _embedded(
    network: PretrainNetwork, tokens: Tokens, rows: Int64[np.ndarray, " rows"]
) -> Float[np.ndarray, "rows hidden"]:
    return np.concatenate([network.embed(tokens.take(block)).cpu().numpy() for _, block in _blocks(rows)])


def _blocks(rows: Int64[np.ndarray, " rows"]) -> list[tuple[int, Int64[np.ndarray, " block"]]]:
    return [(start, rows[start : start + _ROWS_AT_ONCE]) for start in range(0, len(rows), _ROWS_AT_ONCE)]


def _mean(right: Tensor) -> float:
    """Return the share of right guesses; 0 where nothing was to be guessed."""
    return float(right.double().mean()) if len(right) else 0.0
