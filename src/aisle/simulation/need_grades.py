"""Grades of products by what is needed: relevance as a judge would see it who knows the need, but not the shopper."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64, Int64

from aisle.simulation.needs import Needs
from aisle.simulation.rows import take_rows
from aisle.simulation.truth import CatalogueTruth
from aisle.simulation.truth_set import shared_work

__all__ = ["grade_by_needs"]

_ALL_WANTED, _LEAST = 3.0, 1.0


def grade_by_needs(
    truth: CatalogueTruth, needs: Needs
) -> tuple[Int64[np.ndarray, " graded"], Int64[np.ndarray, " graded"], Float64[np.ndarray, " graded"]]:
    """Grade every product that is of any use for each need, as `grade_products` does for generated queries.

    Taste, price, quality and habit have no say: what sells better is not more relevant. What is wanted counts whether
    the query says it or not.

    Args:
        truth: What every product is.
        needs: What is wanted.

    Returns:
        Row of the need, index of the product, and grade: 3 the wanted type with all wanted values and the wanted
        brand; 2 with one of them amiss; 1 with more amiss, or another type under the same parent category.
    """
    groups = _group_of_types(truth)
    nothing = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    found = [nothing] + [
        _graded(truth, take_rows(needs, rows), rows, products)
        for rows, products in shared_work(groups[needs.type_index], groups[truth.type_index])
    ]
    row, product, grade = (np.concatenate(column) for column in zip(*found, strict=True))
    return row, product, grade


def _graded(
    truth: CatalogueTruth, needs: Needs, rows: Int64[np.ndarray, " rows"], products: Int64[np.ndarray, " products"]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    amiss = _amiss(needs.brand_index, truth.brand_index[products])
    for column in np.flatnonzero((needs.wanted >= 0).any(axis=0)):
        amiss += _amiss(needs.wanted[:, column], truth.value_index[products, column])
    is_of_type = needs.type_index[:, None] == truth.type_index[products]
    grade = np.where(is_of_type, np.maximum(_ALL_WANTED - amiss, _LEAST), _LEAST)
    return np.repeat(rows, len(products)), np.tile(products, len(rows)), grade.ravel()


def _amiss(wanted: np.ndarray, actual: np.ndarray) -> Int64[np.ndarray, "rows products"]:
    """Tell what a product lacks of one wanted thing; who does not mind misses nothing."""
    return np.asarray((wanted[:, None] >= 0) & (wanted[:, None] != actual), np.int64)


def _group_of_types(truth: CatalogueTruth) -> Int64[np.ndarray, " types"]:
    """Number the parent categories, and return that of each type."""
    paths = [kind.category[:-1] for kind in truth.vocabulary.types]
    number = {path: place for place, path in enumerate(dict.fromkeys(paths))}
    return np.array([number[path] for path in paths], np.int64)
