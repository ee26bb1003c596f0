"""What actors did before a search, as padded rows of the vector tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64

from aisle.core.ragged import expand_slices

__all__ = ["NO_EVENT", "EventLog", "Histories"]

NO_EVENT = -1
"""Stage that pads a row."""


@dataclass(frozen=True, eq=False)
class EventLog:
    """All actors' events, each actor's in the order of time.

    Attributes:
        query_index: Row of the queries' vector table; -1 outside a search.
        product_index: Row of the products' vector table; -1 where it is not known.
        stage: `aisle.tables.Stage` that the event reached.
        at_s: Time, in seconds since 1970.
    """

    query_index: Int64[np.ndarray, " events"]
    product_index: Int64[np.ndarray, " events"]
    stage: Int64[np.ndarray, " events"]
    at_s: Int64[np.ndarray, " events"]


@dataclass(frozen=True, eq=False)
class Histories:
    """The last events before some searches; a row of nothing but padding is an unknown actor.

    Attributes:
        query_index: Row of the queries' vector table; -1 outside a search or unknown.
        product_index: Row of the products' vector table; -1 unknown.
        stage: Stage that the event reached; `NO_EVENT` pads.
        age_s: Time from the event to the search, in seconds.
    """

    query_index: Int64[np.ndarray, "rows events"]
    product_index: Int64[np.ndarray, "rows events"]
    stage: Int64[np.ndarray, "rows events"]
    age_s: Float32[np.ndarray, "rows events"]

    @classmethod
    def from_log(
        cls,
        log: EventLog,
        begin: Int64[np.ndarray, " rows"],
        end: Int64[np.ndarray, " rows"],
        *,
        searched_at_s: Int64[np.ndarray, " rows"],
        most: int,
    ) -> Histories:
        """Take the last events of some slices of a log, in the order of time.

        Args:
            log: Events of all actors.
            begin: First event of each row's slice.
            end: End of each slice: the first event that is not strictly before the search.
            searched_at_s: Time of each search, in seconds since 1970.
            most: Events that are taken.
        """
        place, found = expand_slices(np.maximum(begin, end - most), end)
        row = np.repeat(np.arange(len(end)), np.diff(found))
        column = np.arange(len(place)) - np.repeat(found[:-1], np.diff(found))
        made = cls.none(len(end), most)
        made.query_index[row, column] = log.query_index[place]
        made.product_index[row, column] = log.product_index[place]
        made.stage[row, column] = log.stage[place]
        made.age_s[row, column] = searched_at_s[row] - log.at_s[place]
        return made

    @classmethod
    def none(cls, num_rows: int, most: int = 1) -> Histories:
        """Return rows of unknown actors."""
        shape = (num_rows, most)
        unknown = np.full(shape, -1, np.int64)
        return cls(unknown, unknown.copy(), np.full(shape, NO_EVENT, np.int64), np.zeros(shape, np.float32))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.stage)

    def take(self, rows: Int64[np.ndarray, " wanted"]) -> Histories:
        """Return these rows, in this order."""
        return Histories(self.query_index[rows], self.product_index[rows], self.stage[rows], self.age_s[rows])
