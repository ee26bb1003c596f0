"""What the names of actions stand for, in events and in logs of other systems."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from aisle.tables.judgments import Stage

__all__ = ["ACTION_STAGES"]

_SYNONYMS: dict[Stage, str] = {
    Stage.CLICKED: "click clicked item_click product_click result_click click_through clickthrough select_item",
    Stage.FAVORITED: "favorite favourite favorited add_to_favorites add_to_favourites add_to_wishlist wishlist "
    "bookmark like follow flw",
    Stage.CARTED: "add_to_cart addtocart add_to_basket add_to_bag cart basket carted",
    Stage.ORDERED: "purchase item_purchase order ordered ord buy",
}

ACTION_STAGES: Mapping[str, Stage] = MappingProxyType(
    {name: stage for stage, names in _SYNONYMS.items() for name in names.split()}
)
"""Stage that an action reaches, by its name in lower case with `_` for blanks and hyphens. A *view* is not among them:
in a log of result pages it is a product shown, elsewhere a product's own page."""
