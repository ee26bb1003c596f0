"""The tables of a mined log, and what each of their columns holds.

Indices are rows: a `product_index` is a row of the products table, `query_index` of `queries`, `actor_index` of
`actors`. Queries and actors are numbered by first appearance, so a longer log keeps the numbers of a shorter one. Lists
lie in a table of their own as rows beside each other, and `…_start`, `…_end` point at them: both load as plain arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa

from aisle.tables.schema import TIME, Column, TableSchema

__all__ = ["MINED_SCHEMAS"]

_TEXT = pa.string()
_INDEX = pa.int32()
_COUNT = pa.int32()
_PLACE = pa.int64()
_SMALL = pa.int8()
_FLAG = pa.bool_()
_REAL = pa.float32()

_QUERIES = TableSchema(
    "queries",
    (
        Column("query_index", _INDEX),
        Column("text", _TEXT),  # normalised, and cut at `max_query_chars`
        Column("searches", _COUNT),  # training searches
        Column("band", _TEXT),  # head, torso, tail or unseen at the end of training
    ),
)

_ACTORS = TableSchema("actors", (Column("actor_index", _INDEX), Column("actor_id", _TEXT)))

_EXAMPLES = TableSchema(
    "examples",  # one row a search, in the order of time
    (
        Column("search_id", _TEXT),
        # Last snapshot before the search. Of a training search also its slice: 0 has no snapshot and only feeds.
        Column("snapshot", _SMALL),
        Column("query_index", _INDEX),
        Column("band", _TEXT),  # of the query at that snapshot
        Column("actor_index", _INDEX),  # -1: nobody is known
        Column("actor_kind", _TEXT),  # user, client, session or none: which id named the actor here
        Column("searched_at", TIME),
        Column("location", _TEXT),  # the search's own, else the user's
        Column("history_start", _PLACE),  # rows of `histories`: the actor's last events strictly before the search
        Column("history_end", _PLACE),
        Column("outcome_start", _PLACE),  # rows of `outcomes` of the same split
        Column("outcome_end", _PLACE),
    ),
)

_OUTCOMES = TableSchema(
    "outcomes",  # what a search came to, by position; assisted ones that were not shown stand last
    (
        Column("product_index", _INDEX),
        Column("stage", _SMALL),  # `Stage` as of the labelling time of the split; 0: shown, plausibly seen and skipped
        Column("grade", _REAL),  # `STAGE_GRADES` of the stage
        Column("weight", _REAL),  # 1, or the discount of an assisted positive
        Column("assisted", _FLAG),  # the stage was reached in a later search of the session; in training alone
        Column("position", pa.int32()),  # from 1; null: not shown in this search, or not where it was seen
        Column("propensity", _REAL),
        Column("reached_at", TIME),  # time of the last action on the product; null: skipped
        Column("repeated", _FLAG),  # the actor had ordered this product before the search
    ),
)

_HISTORIES = TableSchema(
    "histories",  # one row an event, by actor, then by time
    (
        Column("actor_index", _INDEX),
        Column("query_index", _INDEX),  # -1: outside a search
        Column("product_index", _INDEX),
        Column("stage", _SMALL),  # `Stage`, clicked or later: each stage that was reached is an event
        Column("at", TIME),
    ),
)

_NEIGHBOURS_QUERY = TableSchema(
    "neighbours_query",  # heaviest products of each query, heaviest first
    (Column("query_index", _INDEX), Column("product_index", _INDEX), Column("weight", _REAL)),
)

_NEIGHBOURS_PRODUCT = TableSchema(
    "neighbours_product",  # heaviest queries of each product, heaviest first
    (Column("product_index", _INDEX), Column("query_index", _INDEX), Column("weight", _REAL)),
)

_STATISTICS = TableSchema(
    "statistics",  # products that were shown or acted on before the snapshot
    (
        Column("product_index", _INDEX),
        Column("impressions", _COUNT),
        Column("clicks", _COUNT),
        Column("favorites", _COUNT),
        Column("carts", _COUNT),
        Column("orders", _COUNT),
        Column("click_rate", _REAL),  # clicks an impression, smoothed towards the mean of all products
        Column("order_rate", _REAL),
    ),
)

_SAMPLING = TableSchema(
    "sampling",  # positives of the slice
    (
        Column("product_index", _INDEX),
        Column("probability", _REAL),  # share of the slice's positives, each drawn once an epoch; sums to 1
        Column("own_probability", _REAL),  # the same without assisted positives
    ),
)

MINED_SCHEMAS: Mapping[str, TableSchema] = MappingProxyType(
    {
        schema.name: schema
        for schema in (
            _QUERIES,
            _ACTORS,
            _EXAMPLES,
            _OUTCOMES,
            _HISTORIES,
            _NEIGHBOURS_QUERY,
            _NEIGHBOURS_PRODUCT,
            _STATISTICS,
            _SAMPLING,
        )
    }
)
"""Tables of the artefact `mined`. `examples` and `outcomes` are a file per split (`examples/train.parquet`), the last
four a file per snapshot (`statistics/3.parquet`), the others one file."""
