"""Rankings by what an all-knowing shop would know: how much of a wish lies in the query, how much in taste."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from enum import Enum

import numpy as np
from jaxtyping import Bool, Float32, Int8, Int64

from aisle.core.ragged import group_ranks
from aisle.core.ranking import NO_PRODUCT
from aisle.simulation.lexicon import Lexicon
from aisle.simulation.marketplace import Marketplace
from aisle.simulation.needs import ANY, Needs
from aisle.simulation.phrasing import NAMES_GROUP, NAMES_NOTHING, NAMES_TYPE
from aisle.simulation.rows import take_rows
from aisle.simulation.truth_set import MOST_TRUE, TrueProducts, shared_work

__all__ = ["Knowledge", "Revealed", "oracle_recall"]


class Knowledge(Enum):
    """What an oracle knows beside the quality of all products."""

    INTENT = "intent"
    """The whole need, but not the shopper."""
    INTENT_AND_TASTE = "intent and taste"
    QUERY_AND_TASTE = "query and taste"
    """What the query reveals, and the shopper; not the rest of the need."""


@dataclasses.dataclass(frozen=True)
class Revealed:
    """What queries tell; see `Phrased`."""

    states: Bool[np.ndarray, "rows attributes"]
    names: Int8[np.ndarray, " rows"]
    states_brand: Bool[np.ndarray, " rows"]


def oracle_recall(
    market: Marketplace,
    needs: Needs,
    revealed: Revealed,
    *,
    truth: TrueProducts,
    at: Int64[np.ndarray, " rows"],
    knowledge: Knowledge,
    k: int,
) -> Float32[np.ndarray, " rows"]:
    """Return the share of each search's true products among the first k of an oracle's ranking of all on sale.

    NaN for a search without true products.
    """
    knows_query_only = knowledge is Knowledge.QUERY_AND_TASTE
    known = _known(needs, revealed) if knows_query_only else needs
    names = revealed.names if knows_query_only else np.full(len(needs), NAMES_TYPE, np.int8)
    num_true = np.bincount(truth.row, minlength=len(needs))
    true = np.full((len(needs), MOST_TRUE), NO_PRODUCT, np.int64)
    true[truth.row, group_ranks(truth.row, np.zeros(len(truth.row), np.int64))] = truth.product_index
    hits = np.zeros(len(needs))
    for rows, products in _candidates(market, needs, names):
        score = _score(market, take_rows(known, rows), products, knowledge=knowledge)
        on_sale = market.stock.on_sale(np.broadcast_to(products, score.shape), at[rows])
        hits[rows] = _num_within(np.where(on_sale, score, -np.inf), _positions(products, true[rows]), k)
    return np.asarray(np.where(num_true > 0, hits / np.maximum(num_true, 1), np.nan), np.float32)


def _known(needs: Needs, revealed: Revealed) -> Needs:
    """Return the needs as far as the queries tell them."""
    return dataclasses.replace(
        needs,
        wanted=np.where(revealed.states, needs.wanted, np.int16(ANY)),
        brand_index=np.where(revealed.states_brand, needs.brand_index, ANY),
        price_shift=np.zeros_like(needs.price_shift),
        ordered_before=np.full_like(needs.ordered_before, ANY),
    )


def _candidates(
    market: Marketplace, needs: Needs, names: Int8[np.ndarray, " rows"]
) -> Iterator[tuple[Int64[np.ndarray, " some"], Int64[np.ndarray, " products"]]]:
    """Yield rows with the products that may be meant: of the type, of the category above it, or all.

    What stands elsewhere ranks below these, so it need not be scored.
    """
    vocabulary, of_product = market.world.truth.vocabulary, market.world.truth.type_index
    keys = {
        NAMES_TYPE: np.arange(len(vocabulary.types)),
        NAMES_GROUP: Lexicon(vocabulary).group_of_type,
        NAMES_NOTHING: np.zeros(len(vocabulary.types), np.int64),
    }
    for name, key in keys.items():
        rows = np.flatnonzero(names == name)
        for part, products in shared_work(key[needs.type_index[rows]], key[of_product]):
            yield rows[part], products


def _score(
    market: Marketplace, known: Needs, products: Int64[np.ndarray, " products"], *, knowledge: Knowledge
) -> Float32[np.ndarray, "rows products"]:
    parts = market.utility.parts(known, np.broadcast_to(products, (len(known), len(products))))
    score = parts.details + parts.quality
    return score if knowledge is Knowledge.INTENT else score + parts.taste


def _positions(
    products: Int64[np.ndarray, " products"], wanted: Int64[np.ndarray, "rows true"]
) -> Int64[np.ndarray, "rows true"]:
    """Return where each wanted product stands among ascending products; -1 for `NO_PRODUCT`."""
    return np.where(wanted == NO_PRODUCT, -1, np.searchsorted(products, wanted))


def _num_within(
    score: Float32[np.ndarray, "rows products"], position: Int64[np.ndarray, "rows true"], k: int
) -> Int64[np.ndarray, " rows"]:
    """Count the true products that fewer than k products outscore."""
    count = np.zeros(len(score), np.int64)
    for column in position.T:
        own = np.take_along_axis(score, column[:, None], axis=1)
        count += (column >= 0) & ((score > own).sum(axis=1) < k)
    return count
