"""Settings of the UBI loader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt

__all__ = ["UbiConfig"]


@dataclass(frozen=True)
class UbiConfig:
    """Windows and rules by which an event stream is joined to searches."""

    late_days: Annotated[float, Gt(0)] = 30.0
    """An action later than this after its search goes to `events`. Larger joins more, and later, orders."""
    skew_seconds: Annotated[float, Ge(0)] = 300.0
    """An action at most this long before its search counts as made at the search's time: clocks differ. Earlier ones
    go to `events`. Larger forgives worse clocks."""
    attribution_days: Annotated[float, Ge(0)] = 7.0
    """A cart, favourite or order without a query id is joined to the last click of the product by the same user,
    client or session within this time; 0 joins none."""
    drop_bots: bool = False
    """Set aside all rows of actors that look like bots; they are counted in any case."""
    bot_searches_per_hour: Annotated[int, Ge(1)] = 600
    """More searches than this within one hour of the clock look like a bot."""
    bot_searches_without_click: Annotated[int, Ge(1)] = 500
    """At least this many searches without a single click, cart, favourite or order look like a bot."""
