"""What is known of those who search a live shop: the mined log, and what they did since."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from itertools import compress

import numpy as np
from jaxtyping import Int64

from aisle.core.ids import UNKNOWN
from aisle.core.ranking import PastEvents, QueryBatch
from aisle.core.shopper import Shopper
from aisle.live.ids import LiveIds
from aisle.live.pasts import Pasts, Step
from aisle.retrieval import ActorLog, Shoppers

__all__ = ["Asked", "LiveShoppers"]

_SECOND_US = 1_000_000
_SAME_AGE_US = 300 * _SECOND_US


@dataclass(frozen=True)
class Asked:
    """A search with what is known of who makes it.

    Attributes:
        batch: The search.
        key: All that its vector depends on beside the version and the query.
    """

    batch: QueryBatch
    key: Hashable


class LiveShoppers:
    """Completes the searches of one version by what is known of their shoppers at that moment.

    Args:
        pasts: Events since the log; shared by all versions.
        ids: The version's products.
        places: Knows the places of users; its log is not asked.
        log: The mined log's events; None where there is none, or the model does not read the past.
        log_products: Index in this version of each product that the log knows; -1 where it has none.
        reads_past: Whether the past counts.
        is_forgotten: Tells the actors whose past in the log counts no more.
    """

    def __init__(
        self,
        pasts: Pasts,
        ids: LiveIds,
        *,
        places: Shoppers,
        log: ActorLog | None = None,
        log_products: Int64[np.ndarray, " log_products"] | None = None,
        reads_past: bool = True,
        is_forgotten: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._pasts, self._ids, self._places = pasts, ids, places
        self._log, self._log_products = log, log_products
        self._reads_past, self._is_forgotten = reads_past, is_forgotten

    def search(self, query: str, shopper: Shopper, *, now_us: int, personalise: bool = True) -> Asked:
        """Return one search with what is known of it.

        Args:
            query: As typed.
            shopper: Who searches.
            now_us: Time of the search, in microseconds since 1970.
            personalise: Whether the shopper's past counts.
        """
        located = self._places.search(query, shopper)
        actor_id = shopper.actor_id if personalise and self._reads_past else None
        place = located.locations[0] if located.locations is not None else None
        if actor_id is None:
            return Asked(located, (place, None))
        steps, version = self._pasts.of(actor_id, now_us=now_us)
        past = self._past(actor_id, steps, now_us)
        if past is None:
            return Asked(located, (place, None))
        # Ages move all the time: a vector is good for the minutes in which they stay about the same.
        return Asked(QueryBatch([query], located.locations, past), (place, actor_id, version, now_us // _SAME_AGE_US))

    def _past(self, actor_id: str, steps: Sequence[Step], now_us: int) -> PastEvents | None:
        parts = [part for part in (self._logged(actor_id, now_us), self._journalled(steps, now_us)) if part is not None]
        if len(parts) < 2:
            return parts[0] if parts else None
        logged, since = parts
        told = set(zip(*_keys(logged), strict=True))
        new = [place for place, key in enumerate(zip(*_keys(since), strict=True)) if key not in told]
        return _in_order(_joined(logged, _taken(since, np.array(new, np.int64))))

    def _logged(self, actor_id: str, now_us: int) -> PastEvents | None:
        if self._log is None or self._log_products is None or self._is_forgotten(actor_id):
            return None
        now = np.array([now_us], np.int64)
        begin, end = self._log.spans([actor_id], now)
        if end[0] <= begin[0]:
            return None
        past = self._log.past(begin, end, now)
        return PastEvents(past.offsets, past.queries, self._log_products[past.product_index], past.stage, past.age_s)

    def _journalled(self, steps: Sequence[Step], now_us: int) -> PastEvents | None:
        product = self._ids.index_of([step.product_id for step in steps])
        kept = product != UNKNOWN
        if not kept.any():
            return None
        known = list(compress(steps, kept.tolist()))
        # Whole seconds on both sides, as in training; a sender's clock that is ahead makes no event of the future.
        age_s = [max(0, now_us // _SECOND_US - step.at_us // _SECOND_US) for step in known]
        return PastEvents(
            offsets=np.array([0, len(known)], np.int64),
            queries=[step.query for step in known],
            product_index=product[kept],
            stage=np.array([step.stage for step in known], np.int64),
            age_s=np.array(age_s, np.float32),
        )


def _keys(past: PastEvents) -> tuple[list[int], list[int], list[float]]:
    return past.product_index.tolist(), past.stage.tolist(), past.age_s.tolist()


def _joined(first: PastEvents, second: PastEvents) -> PastEvents:
    return PastEvents(
        offsets=np.array([0, len(first.stage) + len(second.stage)], np.int64),
        queries=[*first.queries, *second.queries],
        product_index=np.concatenate([first.product_index, second.product_index]),
        stage=np.concatenate([first.stage, second.stage]),
        age_s=np.concatenate([first.age_s, second.age_s]),
    )


def _in_order(past: PastEvents) -> PastEvents:
    return _taken(past, np.argsort(-past.age_s, kind="stable"))


def _taken(past: PastEvents, places: Int64[np.ndarray, " taken"]) -> PastEvents:
    return PastEvents(
        offsets=np.array([0, len(places)], np.int64),
        queries=[past.queries[place] for place in places.tolist()],
        product_index=past.product_index[places],
        stage=past.stage[places],
        age_s=past.age_s[places],
    )
