"""Grades from the hidden truth: how well each product serves the intent behind a query."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from jaxtyping import Float64, Int64

from aisle.core.rng import generator
from aisle.simulation.listing import product_ids
from aisle.simulation.queries import QUERY_KINDS, SimulatedQuery, num_mismatches
from aisle.simulation.truth import CatalogueTruth

__all__ = ["MAX_PARTIAL", "grade_products", "judge_queries"]

MAX_PARTIAL = 500
"""Most products of grade 2, and of grade 1, that are kept per query (a random sample of them beyond it). Grade 3 is
always complete. A catalogue of up to about 10,000 products is judged completely."""

_SPLITS = ("validation", "test")


def judge_queries(truth: CatalogueTruth, queries: Sequence[SimulatedQuery], *, seed: int) -> pa.Table:
    """Grade the products of every query; half of each kind's queries are for validation, half for test.

    Returns:
        Columns `query`, `product_id`, `grade`, `split`, `kind`. A product without a row has grade 0.
    """
    graded = [
        _sample_partial(*grade_products(truth, query), rng=generator(seed, "judged", query.text)) for query in queries
    ]
    num_rows = [len(rows) for rows, _ in graded]
    query_of_row = pa.array(np.repeat(np.arange(len(queries)), num_rows))
    return pa.table(
        {
            "query": pa.array([query.text for query in queries], pa.string()).take(query_of_row),
            "product_id": product_ids(np.concatenate([np.empty(0, np.int64), *(rows for rows, _ in graded)])),
            "grade": pa.array(np.concatenate([np.empty(0), *(grades for _, grades in graded)])),
            "split": pa.array(_draw_splits(queries, seed=seed), pa.string()).take(query_of_row),
            "kind": pa.array([query.kind for query in queries], pa.string()).take(query_of_row),
        }
    )


def grade_products(
    truth: CatalogueTruth, query: SimulatedQuery
) -> tuple[Int64[np.ndarray, " judged"], Float64[np.ndarray, " judged"]]:
    """Grade every product that is of any use for the query.

    Returns:
        Product indices in ascending order, and their grades: 3 all that is wanted; 2 the right type with one aspect
        amiss; 1 the right type with more amiss, or another type under the same parent category.
    """
    types = truth.vocabulary.types
    parent = types[query.intent.type_index].category[:-1]
    is_related = np.array([kind.category[:-1] == parent for kind in types])
    rows = np.flatnonzero(is_related[truth.type_index])
    mismatches = num_mismatches(truth, rows, query.intent.aspects)
    of_type = np.maximum(3.0 - mismatches, 1.0)
    return rows, np.where(truth.type_index[rows] == query.intent.type_index, of_type, 1.0)


def _sample_partial(
    rows: Int64[np.ndarray, " judged"], grades: Float64[np.ndarray, " judged"], *, rng: np.random.Generator
) -> tuple[Int64[np.ndarray, " kept"], Float64[np.ndarray, " kept"]]:
    """Keep all rows of grade 3 and at most `MAX_PARTIAL` of each lower grade."""
    partial = [rng.permutation(np.flatnonzero(grades == grade))[:MAX_PARTIAL] for grade in (2.0, 1.0)]
    chosen = np.sort(np.concatenate([np.flatnonzero(grades == 3.0), *partial]))
    return rows[chosen], grades[chosen]


def _draw_splits(queries: Sequence[SimulatedQuery], *, seed: int) -> list[str]:
    splits = [""] * len(queries)
    for kind in QUERY_KINDS:
        members = [position for position, query in enumerate(queries) if query.kind == kind]
        for turn, position in enumerate(generator(seed, "split", kind).permutation(members).tolist()):
            splits[position] = _SPLITS[turn % len(_SPLITS)]
    return splits
