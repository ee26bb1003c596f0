"""Brands and shops: each has a home department, and a few of them have most of its products."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from aisle.core.rng import generator
from aisle.simulation.choices import zipf_weights
from aisle.simulation.vocabulary import Wording

__all__ = ["draw_brand_names", "draw_shop_locations", "draw_within_department"]


def draw_brand_names(wording: Wording, num_brands: int, *, seed: int) -> tuple[str, ...]:
    """Invent distinct brand names, at most as many as the wording can make: short ones first, then with a suffix."""
    names = np.array([start + end for start in wording.brand_starts for end in wording.brand_ends])
    drawn = generator(seed, "brand names").permutation(names)[:num_brands].tolist()
    longer = np.array([f"{name} {suffix}" for name in names for suffix in wording.brand_suffixes])
    num_longer = max(num_brands - len(names), 0)
    return (*drawn, *generator(seed, "longer brand names").permutation(longer)[:num_longer].tolist())


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


def draw_shop_locations(wording: Wording, num_shops: int, *, seed: int) -> Int64[np.ndarray, " shops"]:
    """Draw every shop's country, a position in the wording's locations, by Zipf's law."""
    places = len(wording.locations)
    return generator(seed, "locations").choice(places, size=num_shops, p=zipf_weights(places))
