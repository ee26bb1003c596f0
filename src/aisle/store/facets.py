"""Counts of values, from an engine's hits to what is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aisle.store.payload import PayloadSchema
from aisle.store.protocol import FacetCount

__all__ = ["ALL_VALUES", "FacetHits", "facet_counts"]

FacetHits = list[tuple[str, int]]
"""All values of a key as an engine holds them, with the number of products that have each."""

ALL_VALUES = 1_000_000_000
"""More values than any field has."""


def facet_counts(
    fields: Sequence[str], schema: PayloadSchema, hits: Callable[[str], FacetHits], *, most: int
) -> dict[str, list[FacetCount]]:
    """Count the values of fields.

    Args:
        fields: See `ProductStore.facets`.
        schema: Under which keys fields are found.
        hits: Asks the engine for the values of a key.
        most: Values per field.

    Raises:
        UsageError: If a field is not one that can be counted.
    """
    return {name: _counts(name, schema, hits(schema.facet_key(name)), most) for name in fields}


def _counts(name: str, schema: PayloadSchema, hits: FacetHits, most: int) -> list[FacetCount]:
    # Cut before labels are made, but never within a tie: equal counts stand in the order of what is shown.
    found = sorted(((count, value) for value, count in hits if count), reverse=True)
    if len(found) > most and not schema.is_shared(schema.facet_key(name)):
        least = found[most - 1][0]
        found = [one for one in found if one[0] >= least]
    labelled = [(schema.facet_label(name, value), count) for count, value in found]
    counts = [(label, count) for label, count in labelled if label is not None]
    return sorted(counts, key=lambda one: (-one[1], one[0]))[:most]
