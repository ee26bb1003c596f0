"""Features that were made before, by the same featuriser: what is new is made, and the rest is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int32, Int64, UInt64

from aisle.features.context import Context
from aisle.features.featuriser import Features, Featuriser
from aisle.features.terms import Terms
from aisle.features.tokens import Tokens

__all__ = ["KnownFeatures", "join_features"]


@dataclass(frozen=True, eq=False)
class KnownFeatures:
    """Rows of queries and products with their features, all of one featuriser.

    Attributes:
        queries: Distinct texts.
        query_features: Their features.
        product_hashes: Hash of every product row.
        product_features: Their features.
    """

    queries: pa.Array
    query_features: Features
    product_hashes: UInt64[np.ndarray, " products"]
    product_features: Features

    def of_queries(self, texts: pa.Array, featuriser: Featuriser) -> Features:
        """Return the features of queries; those of texts that are not known are made."""
        place = _places(texts, self.queries)
        return _extended(self.query_features, place, lambda new: featuriser.queries(texts.take(pa.array(new))))

    def of_products(self, products: pa.Table, hashes: UInt64[np.ndarray, " rows"], featuriser: Featuriser) -> Features:
        """Return the features of products; those of rows that are new or have changed are made.

        Args:
            products: Products table.
            hashes: Hash of every row, as of `product_hashes`.
            featuriser: What the known features were made by.
        """
        place = _places(pa.array(hashes), pa.array(self.product_hashes))
        return _extended(self.product_features, place, lambda new: featuriser.products(products.take(pa.array(new))))


def join_features(first: Features, second: Features) -> Features:
    """Lay rows behind rows; both are of one featuriser, without neighbours and histories."""
    terms = tokens = context = None
    if first.terms is not None and second.terms is not None:
        terms = _joined_terms(first.terms, second.terms)
    if first.tokens is not None and second.tokens is not None:
        tokens = _joined_tokens(first.tokens, second.tokens)
    if first.context is not None and second.context is not None:
        context = Context(np.concatenate([first.context.ids, second.context.ids]))
    return Features(terms, tokens, context)


def _extended(
    known: Features, place: Int64[np.ndarray, " rows"], make: Callable[[Int64[np.ndarray, " new"]], Features]
) -> Features:
    """Take what is known by its place, and put what is made where the place is -1."""
    is_known = place >= 0
    new = np.flatnonzero(~is_known)
    if not len(new):
        return known.take(place)
    rows = np.empty(len(place), np.int64)
    rows[is_known] = np.arange(len(place) - len(new))
    rows[new] = np.arange(len(place) - len(new), len(place))
    return join_features(known.take(place[is_known]), make(new)).take(rows)


def _places(wanted: pa.Array, known: pa.Array) -> Int64[np.ndarray, " rows"]:
    found = pc.fill_null(pc.index_in(wanted, value_set=known), -1)
    return np.asarray(found.to_numpy(zero_copy_only=False), np.int64)


def _joined_terms(first: Terms, second: Terms) -> Terms:
    offsets = np.concatenate([first.offsets, np.asarray(second.offsets[1:]) + first.offsets[-1]])
    return Terms(
        offsets.astype(np.int64),
        np.concatenate([first.bucket, second.bucket]),
        np.concatenate([first.weight, second.weight]),
    )


def _joined_tokens(first: Tokens, second: Tokens) -> Tokens:
    width = max(first.ids.shape[1], second.ids.shape[1])
    ids = np.concatenate([_padded(first, width), _padded(second, width)])
    return Tokens(ids, np.concatenate([first.length, second.length]))


def _padded(tokens: Tokens, width: int) -> Int32[np.ndarray, "rows width"]:
    padded: Int32[np.ndarray, "rows width"] = np.zeros((len(tokens), width), np.int32)
    padded[:, : tokens.ids.shape[1]] = tokens.ids
    return padded
