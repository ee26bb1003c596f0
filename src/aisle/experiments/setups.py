"""Retrieval systems as a marketplace meets them: with what a request carries and the log knows, and no truth."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int64

from aisle.core.ranking import NO_PRODUCT, QueryBatch, Retriever
from aisle.retrieval import Shoppers
from aisle.simulation.clock import SECONDS_PER_DAY, timestamps
from aisle.simulation.log_tables import client_ids, user_ids
from aisle.simulation.marketplace import Marketplace
from aisle.simulation.pages import Requests
from aisle.simulation.shoppers import ShopperKind

__all__ = ["LiveSetup", "SplitSetup", "take_requests"]

_SEARCHES_AT_ONCE = 8_192
_MARGIN = 1.25
_MOST_DEPTH = 4
"""Times k that are retrieved at most, where part of the catalogue is not on sale."""


class LiveSetup:
    """A retrieval system behind a shop's search box.

    The system is told the text, the place of the request, and the past of the id under which the shop knows the shopper
    (the anonymous have none), as the log has it **up to the beginning of the experiment**. Its candidates are the first
    k that are on sale at the time of the search.

    Args:
        retriever: Over the marketplace's products, in their order.
        shoppers: What the log knows of those who search.
        market: The marketplace; only what a shop can observe of it is read.
        days: First day of the experiment, and the day after its last.
        k: Candidates.
    """

    def __init__(
        self, retriever: Retriever, shoppers: Shoppers, *, market: Marketplace, days: tuple[int, int], k: int
    ) -> None:
        self._retriever, self._shoppers, self._stock, self._k = retriever, shoppers, market.stock, k
        self._place_of_user = market.shoppers.location_index
        self._places = pa.array(market.world.truth.vocabulary.wording.locations, pa.string())
        start, end = (day * SECONDS_PER_DAY for day in days)
        self._known_us = _microseconds(np.array([start]))[0].item()
        self._depth = self._enough(start, end)
        self.searches, self.seconds = 0, 0.0

    @property
    def searches_per_second(self) -> float:
        """Searches that were answered in a second so far."""
        return self.searches / self.seconds if self.seconds else 0.0

    def __call__(self, requests: Requests) -> Int64[np.ndarray, "rows candidates"]:
        """Return the candidates of each search, best first; `NO_PRODUCT` where there are fewer."""
        started = time.perf_counter()
        blocks = [
            self._answer(requests, np.arange(first, min(first + _SEARCHES_AT_ONCE, len(requests))))
            for first in range(0, len(requests), _SEARCHES_AT_ONCE)
        ]
        self.searches += len(requests)
        self.seconds += time.perf_counter() - started
        return np.concatenate([np.empty((0, self._k), np.int64), *blocks])

    def asked(self, requests: Requests) -> QueryBatch:
        """Return what the system is told of searches."""
        user, identity = requests.user_index, requests.identity
        assert identity is not None
        is_user, is_client = identity == ShopperKind.SIGNED_IN, identity == ShopperKind.RETURNING
        nobody = pa.scalar(None, pa.string())
        users = pc.if_else(pa.array(is_user), user_ids(user), nobody)
        clients = pc.if_else(pa.array(is_client), client_ids(user), nobody)
        return self._shoppers.batch(
            requests.text.to_pylist(),
            actor_ids=pc.coalesce(users, clients).to_pylist(),
            user_ids=users.to_pylist(),
            locations=self._places.take(pa.array(self._place_of_user[user])).to_pylist(),
            searched_us=_microseconds(requests.at),
            known_us=self._known_us,
        )

    def _answer(self, requests: Requests, rows: Int64[np.ndarray, " some"]) -> Int64[np.ndarray, "some candidates"]:
        part = take_requests(requests, rows)
        found = self._retriever.retrieve(self.asked(part), k=self._depth).product_index
        kept = self._stock.on_sale(found, part.at)
        # The first k on sale move to the front, in their order.
        order = np.argsort(~kept, axis=1, kind="stable")[:, : self._k]
        return np.where(np.take_along_axis(kept, order, axis=1), np.take_along_axis(found, order, axis=1), NO_PRODUCT)

    def _enough(self, start: int, end: int) -> int:
        """Return the places to retrieve so that about k are on sale at any time of the experiment."""
        num = len(self._stock)
        every = np.broadcast_to(np.arange(num), (2, num))
        share = float(self._stock.on_sale(every, np.array([start, end - 1])).mean(axis=1).min())
        wanted = int(np.ceil(_MARGIN * self._k / max(share, 1 / num)))
        return min(max(num, self._k), _MOST_DEPTH * self._k, wanted)


class SplitSetup:
    """Two set-ups, of which each shopper meets one.

    Args:
        a: Answers the shoppers of arm A.
        b: Answers the others.
        in_b: Shoppers of arm B, by index.
    """

    def __init__(self, a: LiveSetup, b: LiveSetup, in_b: Bool[np.ndarray, " shoppers"]) -> None:
        self._a, self._b, self._in_b = a, b, in_b

    def __call__(self, requests: Requests) -> Int64[np.ndarray, "rows candidates"]:
        """Return the candidates of each search, from its shopper's own arm."""
        goes_to_b = self._in_b[requests.user_index]
        rows = [np.flatnonzero(~goes_to_b), np.flatnonzero(goes_to_b)]
        answers = [setup(take_requests(requests, own)) for setup, own in zip((self._a, self._b), rows, strict=True)]
        found = np.empty((len(requests), answers[0].shape[1]), np.int64)
        found[rows[0]], found[rows[1]] = answers
        return found


def take_requests(requests: Requests, rows: Int64[np.ndarray, " some"]) -> Requests:
    """Return some searches."""
    identity = requests.identity
    return Requests(
        requests.key[rows],
        requests.text.take(pa.array(rows)),
        requests.user_index[rows],
        requests.at[rows],
        None if identity is None else identity[rows],
    )


def _microseconds(seconds: Int64[np.ndarray, " rows"]) -> Int64[np.ndarray, " rows"]:
    return np.asarray(timestamps(seconds).cast(pa.int64()).to_numpy(), np.int64)
