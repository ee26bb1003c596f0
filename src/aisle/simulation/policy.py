"""The shop whose log is simulated: BM25 blended with popularity, and some places given away by chance."""

from __future__ import annotations

import time

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float32, Int32, Int64

from aisle.core.ranking import NO_PRODUCT, QueryBatch, Retriever
from aisle.simulation.draws import Draws
from aisle.simulation.pages import PAGE_SIZE, Pages, Requests
from aisle.simulation.shelves import Shelves
from aisle.simulation.stock import Stock

__all__ = ["RANDOM_SHARE", "LexicalCache", "LoggingPolicy"]

RANDOM_SHARE = 0.12
"""Share of the places that show a product drawn from the department."""
_LEAST_POOL = 4 * PAGE_SIZE
"""In place of a department that has fewer other products on sale than this, the whole shop is drawn from; a shop that
is that small gives no places away."""
_POPULARITY_WEIGHT = 0.3
_NUM_CANDIDATES = 64


class LexicalCache:
    """The blended ranking of every distinct query, asked once.

    Rank = BM25 divided by the query's best BM25, plus 0.3 × popularity within the type. It does not depend on time:
    what is on sale is looked up page by page.
    """

    def __init__(self, stock: Stock, lexical: Retriever) -> None:
        self._stock, self._lexical = stock, lexical
        self._texts = pa.array([], pa.string())
        self._ranked = np.empty((0, _NUM_CANDIDATES), np.int32)
        self.seconds = 0.0
        """Time that the lexical retriever took so far."""

    def __len__(self) -> int:
        """Return the number of distinct queries so far."""
        return len(self._texts)

    def ranked(self, texts: pa.Array) -> Int32[np.ndarray, "queries candidates"]:
        """Return the products of each query, best first, `NO_PRODUCT` where there are fewer."""
        distinct = texts.dictionary_encode()
        known = pc.index_in(distinct.dictionary, value_set=self._texts)
        self._add(distinct.dictionary.filter(pc.is_null(known)))
        row = pc.index_in(distinct.dictionary, value_set=self._texts).to_numpy()
        return self._ranked[row[distinct.indices.to_numpy()]]

    def _add(self, texts: pa.Array) -> None:
        if not len(texts):
            return
        started = time.perf_counter()
        found = self._lexical.retrieve(QueryBatch(texts.to_pylist()), k=_NUM_CANDIDATES)
        self.seconds += time.perf_counter() - started
        self._texts = pa.concat_arrays([self._texts, texts])
        self._ranked = np.concatenate([self._ranked, self._blend(found.product_index, found.score)])

    def _blend(
        self, products: Int64[np.ndarray, "queries candidates"], score: Float32[np.ndarray, "queries candidates"]
    ) -> Int32[np.ndarray, "queries candidates"]:
        is_product = products != NO_PRODUCT
        best = np.where(is_product[:, :1], score[:, :1], 1.0)
        with np.errstate(invalid="ignore"):
            blended = score / best + _POPULARITY_WEIGHT * self._stock.popularity[products]
        order = np.argsort(np.where(is_product, -blended, np.inf), axis=1, kind="stable")
        return np.take_along_axis(products, order, axis=1).astype(np.int32)


class LoggingPolicy:
    """Fills pages for the log.

    Each place is ranked or, with `RANDOM_SHARE`, random. The ranked place s shows the s-th product of the ranking
    that is on sale; a random place shows a product drawn evenly from what else the department has on sale. The
    department is that of the first result (the whole shop where that is too small, or nothing was found). So the
    propensity of the ranking's s-th product at place s is 1 - `RANDOM_SHARE`, and that of every other product of the
    department at any place is `RANDOM_SHARE` divided by their number.
    """

    def __init__(self, stock: Stock, lexical: Retriever, *, seed: int) -> None:
        self._stock = stock
        self._shelves = Shelves(stock)
        self.cache = LexicalCache(stock, lexical)
        self._coin, self._sample = Draws(seed, "policy", "coin"), Draws(seed, "policy", "sample")

    def serve(self, requests: Requests) -> Pages:
        """Fill a page for each search; see `PageServer.serve`."""
        candidates = self.cache.ranked(requests.text)
        ranking, department = self._rankings(candidates, requests.at)
        department, pool = self._pools(ranking, department, requests.at)
        gives_away = pool >= _LEAST_POOL
        coin = self._coin.uniform(requests.key[:, None], np.arange(PAGE_SIZE))
        is_random = gives_away[:, None] & (coin < RANDOM_SHARE)
        products = np.where(
            is_random, self._draw_random(requests, ranking, department=department, where=is_random), ranking
        )
        ranked_propensity = np.where(gives_away, 1.0 - RANDOM_SHARE, 1.0)[:, None]
        propensity = np.where(is_random, (RANDOM_SHARE / np.maximum(pool, 1))[:, None], ranked_propensity)
        return Pages(products, propensity.astype(np.float32), is_random)

    def _rankings(
        self, candidates: Int32[np.ndarray, "rows candidates"], at: Int64[np.ndarray, " rows"]
    ) -> tuple[Int64[np.ndarray, "rows places"], Int64[np.ndarray, " rows"]]:
        """Return the first products on sale, filled up with the department's popular ones, and the department."""
        candidates = candidates.astype(np.int64)
        ranking = first_places(candidates, self._stock.on_sale(candidates, at))
        found = ranking[:, 0] != NO_PRODUCT
        department = np.where(found, self._stock.department[ranking[:, 0]], self._stock.num_departments).astype(
            np.int64
        )
        short = np.flatnonzero(ranking[:, -1] == NO_PRODUCT)
        ranking[short] = self._shelves.fill_up(ranking[short], department[short], at[short])
        return ranking, department

    def _pools(
        self,
        ranking: Int64[np.ndarray, "rows places"],
        department: Int64[np.ndarray, " rows"],
        at: Int64[np.ndarray, " rows"],
    ) -> tuple[Int64[np.ndarray, " rows"], Int64[np.ndarray, " rows"]]:
        """Return where each page's random products come from, and how many there are beside its ranking."""

        def size(of: Int64[np.ndarray, " rows"]) -> Int64[np.ndarray, " rows"]:
            return self._shelves.num_on_sale(of, at) - self._shelves.num_of(of, ranking)

        own = size(department)
        whole = np.full(len(department), self._stock.num_departments)
        return np.where(own >= _LEAST_POOL, department, whole), np.where(own >= _LEAST_POOL, own, size(whole))

    def _draw_random(
        self,
        requests: Requests,
        ranking: Int64[np.ndarray, "rows places"],
        *,
        department: Int64[np.ndarray, " rows"],
        where: Bool[np.ndarray, "rows places"],
    ) -> Int64[np.ndarray, "rows places"]:
        """Draw products for the random places, distinct on each page and none of its ranking, all evenly.

        Places draw again until they hold something that is on sale and new to the page; of two that drew the same,
        the one further down draws again. So each page's draws are an even sample without replacement.
        """
        drawn = np.full(ranking.shape, NO_PRODUCT, np.int64)
        row, place = np.nonzero(where)
        attempt = 0
        while len(row):
            product = self._shelves.pick(
                department[row], self._sample.uniform(requests.key[row], place, np.array(attempt))
            )
            good = self._stock.on_sale(product[:, None], requests.at[row])[:, 0]
            good &= ~((ranking[row] == product[:, None]) | (drawn[row] == product[:, None])).any(axis=1)
            good &= _is_first(row, product)
            drawn[row[good], place[good]] = product[good]
            row, place = row[~good], place[~good]
            attempt += 1
        return drawn


def first_places(
    candidates: Int64[np.ndarray, "rows candidates"], allowed: Bool[np.ndarray, "rows candidates"]
) -> Int64[np.ndarray, "rows places"]:
    """Return the first `PAGE_SIZE` allowed candidates of each row; `NO_PRODUCT` where there are fewer.

    >>> first_places(np.array([[5, 6, 7]]), np.array([[True, False, True]]))[0, :3].tolist()
    [5, 7, -1]
    """
    place = np.cumsum(allowed, axis=1) - 1
    row, column = np.nonzero(allowed & (place < PAGE_SIZE))
    chosen = np.full((len(candidates), PAGE_SIZE), NO_PRODUCT, np.int64)
    chosen[row, place[row, column]] = candidates[row, column]
    return chosen


def _is_first(row: Int64[np.ndarray, " draws"], product: Int64[np.ndarray, " draws"]) -> Bool[np.ndarray, " draws"]:
    """Tell which draws are the first of their page that drew the product; draws stand in the order of places."""
    order = np.lexsort((product, row))
    repeats = (np.diff(row[order]) == 0) & (np.diff(product[order]) == 0)
    first = np.ones(len(row), bool)
    first[order[1:][repeats]] = False
    return first
