"""What the names of UBI actions stand for."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pyarrow as pa

from aisle.tables import ACTION_STAGES, Stage

__all__ = ["ACTIONS", "action_table"]

_SHOWN = ("impression", "impressions", "item_impression", "product_impression", "view")

ACTIONS: Mapping[str, Stage] = MappingProxyType({**ACTION_STAGES, **dict.fromkeys(_SHOWN, Stage.SHOWN)})
"""Stage that an action reaches, by its name in lower case with `_` for blanks and hyphens; other actions have none."""


def action_table() -> pa.Table:
    """Return `ACTIONS` as a table of (name, stage), the stage as its number."""
    return pa.table({"name": list(ACTIONS), "stage": pa.array([int(stage) for stage in ACTIONS.values()], pa.int8())})
