"""Counts of values, from an engine's hits to what is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aisle.store.payload import PayloadSchema
from aisle.store.protocol import FacetCount

__all__ = ["FacetHits", "facet_counts"]

FacetHits = list[tuple[str, int]]
"""Values as an engine holds them, with the number of products that have each; the most frequent first."""

_ALL = 1_000_000_000


def facet_counts(
    fields: Sequence[str], schema: PayloadSchema, hits: Callable[[str, int], FacetHits], *, most: int
) -> dict[str, list[FacetCount]]:
    """Count the values of fields.

    An engine orders equal counts in its own way. Where a tie runs through the last place that is shown, all values are
    asked for, so that every kind of store shows the same ones.

    Args:
        fields: See `ProductStore.facets`.
        schema: Under which keys fields are found.
        hits: Asks the engine for the most frequent values of a key, at most so many.
        most: Values per field.

    Raises:
        UsageError: If a field is not one that can be counted.
    """
    return {name: _counts(name, schema, hits, most) for name in fields}


def _counts(name: str, schema: PayloadSchema, hits: Callable[[str, int], FacetHits], most: int) -> list[FacetCount]:
    key, limit = schema.facet_key(name), 2 * most + 1
    found = [] if schema.is_shared(key) else hits(key, limit)
    if schema.is_shared(key) or (len(found) == limit and found[most - 1][1] == found[-1][1]):
        found = hits(key, _ALL)
    shown = [(schema.facet_label(name, value), count) for value, count in found if count]
    counts = [(label, count) for label, count in shown if label is not None]
    return sorted(counts, key=lambda one: (-one[1], one[0]))[:most]
