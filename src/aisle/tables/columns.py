"""The data contract: the six tables, their columns and the rules of their values."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa

from aisle.tables.judgments import Stage
from aisle.tables.schema import TIME, Column, TableSchema

__all__ = ["EVENTS", "IMPRESSIONS", "JUDGMENTS", "PRODUCTS", "SCHEMAS", "SEARCHES", "SPLITS", "USERS"]

SPLITS = ("train", "validation", "test")
"""Values of `split`."""

_TEXT = pa.string()
_NUMBER = pa.float64()

PRODUCTS = TableSchema(
    "products",
    (
        Column("product_id", _TEXT, required=True),
        Column("title", _TEXT, required=True),
        Column("description", _TEXT),
        Column("category", pa.list_(_TEXT)),  # root → leaf
        Column("brand", _TEXT),
        Column("shop_id", _TEXT),
        Column("price", _NUMBER, minimum=0),
        Column("currency", _TEXT),
        Column("attributes", pa.map_(_TEXT, _TEXT)),
        Column("location", _TEXT),  # country or region code
        Column("locale", _TEXT),
        Column("in_stock", pa.bool_()),
        Column("group_id", _TEXT),  # variants of one product share it
        Column("created_at", TIME),
        Column("removed_at", TIME),
        Column("updated_at", TIME),
    ),
    key=("product_id",),
    number_prefix="quality_",
)

SEARCHES = TableSchema(
    "searches",
    (
        Column("search_id", _TEXT, required=True),
        Column("query", _TEXT, required=True),
        Column("searched_at", TIME, required=True),
        Column("user_id", _TEXT),
        Column("client_id", _TEXT),
        Column("session_id", _TEXT),
        Column("location", _TEXT),
        # A null here would hand the row to the split by time: a test search could become a training search.
        Column("split", _TEXT, choices=SPLITS, decisive=True),
    ),
    key=("search_id",),
)

IMPRESSIONS = TableSchema(
    "impressions",
    (
        Column("search_id", _TEXT, required=True, names_search=True),
        Column("product_id", _TEXT, required=True, names_product=True),
        Column("position", pa.int32(), required=True, minimum=1),
        Column("clicked_at", TIME),
        Column("favorited_at", TIME),
        Column("carted_at", TIME),
        Column("ordered_at", TIME),
        Column("stage", _TEXT, choices=tuple(stage.label for stage in Stage)),
        Column("price", _NUMBER, minimum=0),
        Column("propensity", _NUMBER, above=0, maximum=1),
    ),
    key=("search_id", "product_id", "position"),
)

EVENTS = TableSchema(
    "events",
    (
        Column("actor_id", _TEXT, required=True),
        Column("at", TIME, required=True),
        Column("action", _TEXT, required=True),
        Column("product_id", _TEXT, decisive=True, names_product=True),
        Column("query", _TEXT),
        Column("search_id", _TEXT),
    ),
)

USERS = TableSchema("users", (Column("user_id", _TEXT, required=True), Column("location", _TEXT)), key=("user_id",))

JUDGMENTS = TableSchema(
    "judgments",
    (
        Column("query", _TEXT, required=True),
        Column("product_id", _TEXT, required=True, names_product=True),
        Column("grade", _NUMBER, required=True),
        Column("split", _TEXT, choices=SPLITS, decisive=True, default="test"),
    ),
    # By split: else a test row would set aside the training row of the same pair that stands after it.
    key=("query", "product_id", "split"),
)

SCHEMAS: Mapping[str, TableSchema] = MappingProxyType(
    {schema.name: schema for schema in (PRODUCTS, SEARCHES, IMPRESSIONS, EVENTS, USERS, JUDGMENTS)}
)
"""The tables of the contract by name."""
