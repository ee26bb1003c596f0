"""Settings of mining."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Gt, Le

__all__ = ["AssistConfig", "GraphConfig", "MiningConfig"]


@dataclass(frozen=True)
class AssistConfig:
    """Positives for searches that ended without one, from later searches of the same session."""

    enabled: bool = True
    """Whether there are any. They teach words that no title uses, and they are noisier than a search's own clicks."""

    discount: Annotated[float, Gt(0), Le(1)] = 0.5
    """Weight of an assisted positive against 1 for a search's own."""

    window_minutes: Annotated[float, Gt(0)] = 60.0
    """Longest time between the earlier search and the click or order."""

    max_searches: Annotated[int, Ge(1), Le(20)] = 5
    """How many searches before its own one action may assist."""

    max_actions: Annotated[int, Ge(1)] = 10
    """How many actions of one search assist, the first ones; bounds what a robot's session costs."""


@dataclass(frozen=True)
class GraphConfig:
    """The graph of queries and products."""

    clicked_weight: Annotated[float, Ge(0)] = 1.0
    """Weight of a click. Each stage that a product reached adds its weight to the edge."""

    favorited_weight: Annotated[float, Ge(0)] = 2.0
    """Weight of a favourite."""

    carted_weight: Annotated[float, Ge(0)] = 2.0
    """Weight of a cart."""

    ordered_weight: Annotated[float, Ge(0)] = 4.0
    """Weight of an order."""

    half_life_days: Annotated[float, Gt(0)] | None = 30.0
    """Time after which an action weighs half; None: for ever the same, as a log without real times needs."""

    num_neighbours: Annotated[int, Ge(1), Le(1000)] = 10
    """Most neighbours kept of a query, and of a product: the heaviest."""

    assisted: bool = True
    """Whether assisted positives make edges, with their discount."""


@dataclass(frozen=True)
class MiningConfig:
    """How a search log becomes examples, histories and snapshots of graph and statistics."""

    test_share: Annotated[float, Gt(0), Le(0.5)] = 0.1
    """Share of the searches, the last ones, that are the test window where the log names no splits."""

    validation_share: Annotated[float, Gt(0), Le(0.5)] = 0.1
    """Share of the searches before the test window, the last ones, that validate where the log names no validation."""

    num_slices: Annotated[int, Ge(2), Le(100)] = 8
    """Slices of the training window, of equal numbers of searches; the first one only feeds the others. More: fresher
    snapshots, more of them."""

    session_gap_minutes: Annotated[float, Gt(0)] = 30.0
    """Pause of an actor after which a new session begins, for searches without `session_id`."""

    max_skew_minutes: Annotated[float, Ge(0)] = 5.0
    """An action may be dated this long before its search, by clocks that differ; it then counts at the search's time.
    Earlier ones are not believed."""

    max_delay_days: Annotated[float, Gt(0)] = 30.0
    """Actions that are dated longer after their search are not believed."""

    skips_below: Annotated[int, Ge(0)] = 3
    """Places below a search's last action that were plausibly seen."""

    skips_above: Annotated[int, Ge(0)] = 15
    """Places above a search's last action whose skipped products are kept; with the above it caps them."""

    history_size: Annotated[int, Ge(1)] = 100
    """Most events that a search's history pointer spans, the latest ones."""

    prior_impressions: Annotated[float, Gt(0)] = 20.0
    """Impressions at the mean rate with which a product's rates are smoothed. More: rates of rare products stay nearer
    to the mean."""

    max_query_chars: Annotated[int, Ge(16)] = 512
    """Characters of a query that count; longer ones are cut."""

    assist: AssistConfig = field(default_factory=AssistConfig)
    graph: GraphConfig = field(default_factory=GraphConfig)

    memory_gb: Annotated[float, Gt(0.1)] = 3.0
    """Memory that DuckDB may hold before it spills to disk, in 10⁹ bytes; the process needs some 0.3 more. It changes
    no result."""

    threads: Annotated[int, Ge(1)] | None = None
    """Threads; None: all cores. Changes no result."""
