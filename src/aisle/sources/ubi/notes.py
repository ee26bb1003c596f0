"""Says in words what each rule of the UBI loader met."""

from __future__ import annotations

import duckdb

from aisle.sources.statements import statement
from aisle.sources.ubi.config import UbiConfig

__all__ = ["notes_of"]

_BASES = "SELECT coalesce(application, 'the log'), base FROM bases ORDER BY ALL"


def notes_of(connection: duckdb.DuckDBPyConnection, config: UbiConfig) -> tuple[str, ...]:
    """Return a line for every rule that concerned at least one row, and how positions are counted."""
    query = connection.execute(statement("ubi/out_counts"))
    names = [column[0] for column in query.description or ()]
    counts = dict(zip(names, query.fetchall()[0], strict=True))
    bots = "set aside" if config.drop_bots else "kept (--set drop_bots=true sets them aside)"
    rules = {
        "num_stages": "actions became clicks, favourites, carts and orders of a shown product",
        "num_skewed": f"events up to {config.skew_seconds:g} s before their search count as made at its time (skew)",
        "num_early": f"events more than {config.skew_seconds:g} s before their search went to events",
        "num_late": f"events more than {config.late_days:g} days after their search went to events",
        "num_attributed": "carts, favourites and orders without a query id were joined to the actor's last click "
        f"of the product within {config.attribution_days:g} days",
        "num_without_query": "events without a query id went to events",
        "num_unknown_query": "events of a query that the log does not hold went to events",
        "num_not_shown": "events of a product that their search did not show went to events",
        "num_orders_outside": "orders had no shown list and went to events",
        "num_other_actions": "events with actions that have no stage went to events",
        "num_bulk_lines": "action lines of bulk requests hold no data",
        "num_bots": f"actors look like bots and were {bots}",
    }
    notes = [f"{counts[name]:,} {text}" for name, text in rules.items() if counts[name]]
    if not counts["num_orders_joined"] + counts["num_orders_outside"]:
        notes.append("the log has no orders: clicks and carts are all that it teaches")
    if counts["num_of_busiest_actor"]:
        notes.append(f"the busiest actor made {counts['num_of_busiest_actor']:,} events")
    bases = connection.execute(_BASES).fetchall()
    return (*notes, *(f"positions of {name} are counted from {base}" for name, base in bases))
