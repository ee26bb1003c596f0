"""Attribute values that suit a style: a boho brand has more rattan, a minimalist one more white."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64, Int64

from aisle.core.rng import generator
from aisle.simulation.styles import value_styles
from aisle.simulation.truth import CatalogueTruth
from aisle.simulation.values import ValueTable
from aisle.simulation.vocabulary import Attribute

__all__ = ["lean_values", "style_of_values"]

_LEANING = 2.5
"""How strongly the style decides: a value that goes with a model's only style is drawn e^2.5 = 12 times as often."""
_BLOCK = 1 << 16
"""Models that are drawn at a time, so that memory does not grow with the catalogue."""


def lean_values(
    truth: CatalogueTruth, style: Float32[np.ndarray, "models styles"], *, seed: int
) -> Int64[np.ndarray, "products attributes"]:
    """Draw the attribute values again, those that suit the model's style more often; variants stay distinct.

    Returns:
        Position among each attribute's values; -1 where the type does not have the attribute.
    """
    first = np.searchsorted(truth.model_index, np.arange(len(style)))
    variant = np.arange(len(truth)) - first[truth.model_index]
    columns = []
    for column, attribute in enumerate(truth.vocabulary.attributes):
        table = ValueTable(attribute, truth.vocabulary.types)
        chance = generator(seed, "leaning", attribute.name).random(len(style))
        leaning = _leaning_chances(table, attribute, type_index=truth.type_index[first], style=style, chance=chance)
        columns.append(table.draw(truth.type_index, leaning[truth.model_index], step=variant * truth.varies[:, column]))
    return np.stack(columns, axis=1)


def _leaning_chances(
    table: ValueTable,
    attribute: Attribute,
    *,
    type_index: Int64[np.ndarray, " models"],
    style: Float32[np.ndarray, "models styles"],
    chance: Float64[np.ndarray, " models"],
) -> Float64[np.ndarray, " models"]:
    """Bend even chances so that an even draw among the type's values comes out as a leaning one."""
    suits = value_styles(attribute)
    if not suits.any():
        return chance
    options = table.padded
    leaning = np.empty_like(chance)
    for begin in range(0, len(chance), _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        option = options[type_index[rows]]
        liking = np.take_along_axis(style[rows] @ suits.T, np.maximum(option, 0), axis=1)
        reached = np.cumsum(np.where(option >= 0, np.exp(_LEANING * liking.astype(np.float64)), 0.0), axis=1)
        chosen = (reached <= (chance[rows] * reached[:, -1])[:, None]).sum(axis=1)
        leaning[rows] = (chosen + 0.5) / np.maximum((option >= 0).sum(axis=1), 1)
    return np.minimum(leaning, 1 - 1e-9)


def style_of_values(truth: CatalogueTruth) -> Float32[np.ndarray, "products styles"]:
    """Add up, for every product, the styles that its attribute values go with."""
    total = np.zeros((len(truth), value_styles(truth.vocabulary.attributes[0]).shape[1]), dtype=np.float32)
    for column, attribute in enumerate(truth.vocabulary.attributes):
        suits = np.concatenate([value_styles(attribute), np.zeros((1, total.shape[1]), np.float32)])
        total += suits[truth.value_index[:, column]]  # -1, no value, is the last row: zeros
    return total
