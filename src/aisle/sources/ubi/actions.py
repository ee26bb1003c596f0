"""What the names of UBI actions stand for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa

from aisle.tables import Stage

__all__ = ["ACTIONS", "action_table"]

_SYNONYMS: dict[Stage, str] = {
    Stage.SHOWN: "impression impressions item_impression product_impression view",
    Stage.CLICKED: "click item_click product_click result_click click_through clickthrough select_item",
    Stage.FAVORITED: "favorite favourite add_to_favorites add_to_favourites add_to_wishlist wishlist bookmark like",
    Stage.CARTED: "add_to_cart addtocart add_to_basket add_to_bag cart basket",
    Stage.ORDERED: "purchase item_purchase order buy",
}

ACTIONS: Mapping[str, Stage] = MappingProxyType(
    {name: stage for stage, names in _SYNONYMS.items() for name in names.split()}
)
"""Stage that an action reaches, by its name in lower case with `_` for blanks and hyphens; other actions have none."""


def action_table() -> pa.Table:
    """Return `ACTIONS` as a table of (name, stage), the stage as its number."""
    return pa.table({"name": list(ACTIONS), "stage": pa.array([int(stage) for stage in ACTIONS.values()], pa.int8())})
