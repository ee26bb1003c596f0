"""The style space: what each dimension is called, which attribute values go with it, and how styles are drawn."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float32, Float64, Int64
from pydantic import TypeAdapter

from aisle.simulation.vocabulary import Attribute

__all__ = [
    "NUM_STYLES",
    "Style",
    "draw_styles",
    "load_styles",
    "pick_style",
    "style_names",
    "unit_rows",
    "value_styles",
]

NUM_STYLES = 16
"""Dimensions of the space that styles of products and tastes of shoppers share."""

_SPARSENESS = 0.35
"""Shape of the gamma weights of the styles; a smaller one gives each owner fewer of them."""


@dataclass(frozen=True)
class Style:
    """One dimension of the style space in words."""

    sellers: tuple[str, ...]
    """Adjectives that sellers write, most usual first."""
    shoppers: tuple[str, ...]
    """How shoppers ask for it, in words that no seller uses for it."""
    moods: tuple[str, ...]
    """Whole sentences of sellers that suit the style without naming it."""
    values: Mapping[str, tuple[str, ...]]
    """Names of the attribute values that go with it, by attribute."""


@lru_cache(maxsize=1)
def _named_styles() -> dict[str, Style]:
    content = tomllib.loads((files("aisle.simulation") / "data" / "styles.toml").read_text(encoding="utf-8"))
    styles = TypeAdapter(dict[str, Style]).validate_python(content)
    assert len(styles) == NUM_STYLES
    return styles


def load_styles() -> tuple[Style, ...]:
    """Read the packaged styles, one per dimension of the style space."""
    return tuple(_named_styles().values())


def style_names() -> tuple[str, ...]:
    """Return the names of the dimensions of the style space."""
    return tuple(_named_styles())


def unit_rows(rows: Float64[np.ndarray, "rows styles"]) -> Float32[np.ndarray, "rows styles"]:
    """Scale rows to length 1; a row of zeros stays."""
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return (rows / np.where(length > 0, length, 1.0)).astype(np.float32)


def draw_styles(num: int, *, rng: np.random.Generator) -> Float32[np.ndarray, "num styles"]:
    """Draw unit rows in which a style or two stand out; two random rows are orthogonal on average.

    Gaussian rows were rejected: each would be a little of everything, and no word could name it.
    """
    weights = rng.standard_gamma(_SPARSENESS, size=(num, NUM_STYLES))
    return unit_rows(weights - weights.mean(axis=1, keepdims=True))


def pick_style(
    style: Float32[np.ndarray, "rows styles"], chance: Float64[np.ndarray, " rows"]
) -> Int64[np.ndarray, " rows"]:
    """Choose a dimension of each row, in proportion to the square of its positive part.

    Args:
        style: Rows with at least one positive entry.
        chance: Uniform draws in [0, 1).

    >>> pick_style(np.array([[0.0, 0.8, -0.6], [0.6, 0.8, 0.0]], np.float32), np.array([0.9, 0.3])).tolist()
    [1, 0]
    """
    reached = np.cumsum(np.maximum(style, 0.0) ** 2, axis=1)
    return (reached <= (chance * reached[:, -1])[:, None]).sum(axis=1)


def value_styles(attribute: Attribute) -> Float32[np.ndarray, "values styles"]:
    """Return which styles each value of an attribute goes with: 1 where it does, else 0."""
    suits = np.zeros((len(attribute.values), NUM_STYLES), dtype=np.float32)
    for dimension, style in enumerate(load_styles()):
        known = [
            attribute.position[name] for name in style.values.get(attribute.name, ()) if name in attribute.position
        ]
        suits[known, dimension] = 1.0
    return suits
