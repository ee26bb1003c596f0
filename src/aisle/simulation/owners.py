"""Brands and shops: each has a home department, and a few of them have most of its products."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from aisle.core.rng import generator
from aisle.simulation.choices import zipf_weights
from aisle.simulation.vocabulary import Wording

__all__ = ["draw_brand_names", "draw_within_department"]


def draw_brand_names(wording: Wording, num_brands: int, *, seed: int) -> tuple[str, ...]:
    """Invent distinct brand names, at most as many as the wording can make."""
    names = np.array([start + end for start in wording.brand_starts for end in wording.brand_ends])
    return tuple(generator(seed, "brand names").permutation(names)[:num_brands].tolist())


def draw_within_department(
    department: Int64[np.ndarray, " models"], *, num_owners: int, num_departments: int, rng: np.random.Generator
) -> Int64[np.ndarray, " models"]:
    """Draw an owner (brand or shop) at home in each model's department, by Zipf's law over its owners.

    Owner o is at home in department o modulo the number of departments; there are at least as many owners as
    departments.
    """
    owner = np.empty(len(department), dtype=np.int64)
    for home in range(num_departments):
        rows = np.flatnonzero(department == home)
        owners = np.arange(home, num_owners, num_departments)
        owner[rows] = rng.choice(owners, size=len(rows), p=zipf_weights(len(owners)))
    return owner
