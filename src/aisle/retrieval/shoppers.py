"""What a shop's log knows of those who search: what they did before, and where they are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int64

from aisle.core.ids import UNKNOWN, IdMap
from aisle.core.ragged import expand_slices, offsets_of
from aisle.core.ranking import PastEvents, QueryBatch
from aisle.core.shopper import Shopper
from aisle.mining import MinedLog

__all__ = ["ActorLog", "Shoppers"]

_MOST_EVENTS = 100
_SECOND_US = 1_000_000


class ActorLog:
    """All actors' mined events, each actor's in the order of time.

    Args:
        log: The mined log.
        most: Events of one past at most, the last ones.
    """

    def __init__(self, log: MinedLog, *, most: int = _MOST_EVENTS) -> None:
        events = log.table("histories")
        self._most = most
        self._actors = IdMap(log.table("actors").column("actor_id"))
        self._texts = log.table("queries").column("text").combine_chunks()
        actor, query, product = (events.column(f"{name}_index").to_numpy() for name in ("actor", "query", "product"))
        self._offsets = offsets_of(actor.astype(np.int64), len(self._actors))
        self._query, self._product = query, product
        self._stage = events.column("stage").to_numpy()
        self._at_us = np.asarray(events.column("at").cast(pa.int64()).to_numpy(), np.int64)

    def knows(self, actor_ids: Sequence[str | None]) -> Bool[np.ndarray, " actors"]:
        """Tell which actors the log names."""
        return self._actors.index_of(pa.array(actor_ids, pa.string())) != UNKNOWN

    def spans(
        self, actor_ids: Sequence[str | None], before_us: Int64[np.ndarray, " searches"]
    ) -> tuple[Int64[np.ndarray, " searches"], Int64[np.ndarray, " searches"]]:
        """Find each actor's events strictly before a time, as begin and end; nobody and the unknown have none."""
        index = self._actors.index_of(pa.array(actor_ids, pa.string()))
        is_known = index != UNKNOWN
        begin = np.where(is_known, self._offsets[index], 0)
        low, high = begin.copy(), np.where(is_known, self._offsets[index + 1], 0)
        # Bisects all spans at once; halves them at every turn.
        while (is_open := low < high).any():
            middle = (low + high) // 2
            is_before = is_open & (self._at_us[np.minimum(middle, len(self._at_us) - 1)] < before_us)
            low = np.where(is_before, middle + 1, low)
            high = np.where(is_open & ~is_before, middle, high)
        return begin, low

    def past(
        self,
        begin: Int64[np.ndarray, " searches"],
        end: Int64[np.ndarray, " searches"],
        searched_us: Int64[np.ndarray, " searches"],
    ) -> PastEvents:
        """Return the last events of some spans, as they looked at the time of each search."""
        place, offsets = expand_slices(np.maximum(begin, end - self._most), end)
        query = self._query[place]
        # Whole seconds on both sides, as in training.
        age_s = np.repeat(searched_us // _SECOND_US, np.diff(offsets)) - self._at_us[place] // _SECOND_US
        return PastEvents(
            offsets=offsets,
            queries=self._texts.take(pa.array(query, mask=query < 0)).to_pylist(),
            product_index=self._product[place].astype(np.int64),
            stage=self._stage[place].astype(np.int64),
            age_s=age_s.astype(np.float32),
        )


class Shoppers:
    """Completes searches by what is known of those who make them, as it was at the time of each.

    Args:
        log: What actors did; None: the past of nobody counts.
        reads_places: Whether the place of a search counts.
        users: Ids of users whose place is known.
        places: The place of each.
        now_us: Time of a search that comes without one, in microseconds since 1970: just after the log's end.
    """

    def __init__(
        self,
        log: ActorLog | None = None,
        *,
        reads_places: bool = False,
        users: IdMap | None = None,
        places: pa.Array | None = None,
        now_us: int = 0,
    ) -> None:
        self._log = log
        self._reads_places = reads_places
        self._users = users
        self._places = places
        self.now_us = now_us

    def search(self, text: str, shopper: Shopper) -> QueryBatch:
        """Return one live search with what is known of it."""
        now = np.array([self.now_us], np.int64)
        return self.batch(
            [text],
            actor_ids=[shopper.actor_id],
            user_ids=[shopper.user_id],
            locations=[shopper.location],
            searched_us=now,
        )

    def batch(
        self,
        texts: Sequence[str],
        *,
        actor_ids: Sequence[str | None],
        user_ids: Sequence[str | None],
        locations: Sequence[str | None],
        searched_us: Int64[np.ndarray, " searches"],
        known_us: int | None = None,
    ) -> QueryBatch:
        """Return searches with what is known of them; a batch of which nothing is known is of nobody.

        Args:
            texts: Queries.
            actor_ids: Who searches, by `Shopper.actor_id`; None for nobody.
            user_ids: The user among them, whose own place stands in for a missing one.
            locations: Where each search comes from; None where it does not say.
            searched_us: Time of each; only what was strictly before counts.
            known_us: Time up to which the log counts at most, as seen from later searches; None: up to each search.
        """
        places = self._located(user_ids, locations)
        return QueryBatch(
            texts,
            places if any(place is not None for place in places) else None,
            self._past(actor_ids, searched_us, known_us),
        )

    def is_unknown(self, actor_ids: Sequence[str | None]) -> Bool[np.ndarray, " actors"]:
        """Tell which named actors the log does not know; none where no past counts."""
        if self._log is None:
            return np.zeros(len(actor_ids), np.bool_)
        is_named = np.array([name is not None for name in actor_ids], np.bool_)
        return is_named & ~self._log.knows(actor_ids)

    def _past(
        self, actor_ids: Sequence[str | None], searched_us: Int64[np.ndarray, " searches"], known_us: int | None
    ) -> PastEvents | None:
        if self._log is None:
            return None
        until = searched_us if known_us is None else np.minimum(searched_us, known_us)
        begin, end = self._log.spans(actor_ids, until)
        return self._log.past(begin, end, searched_us) if (end > begin).any() else None

    def _located(self, user_ids: Sequence[str | None], locations: Sequence[str | None]) -> list[str | None]:
        if not self._reads_places:
            return [None] * len(locations)
        said = pa.array(locations, pa.string())
        if self._users is None or self._places is None:
            return list(said.to_pylist())
        index = self._users.index_of(pa.array(user_ids, pa.string()))
        own = self._places.take(pa.array(index, mask=index == UNKNOWN))
        return list(pc.coalesce(said, own).to_pylist())
