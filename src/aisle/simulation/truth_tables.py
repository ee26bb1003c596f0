"""The truth set as tables that only evaluation may read, and back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Int64

from aisle.core.ids import IdMap
from aisle.simulation.log_tables import search_ids
from aisle.simulation.needs import Needs, QueryKind
from aisle.simulation.oracles import Revealed
from aisle.simulation.searching import Searches
from aisle.simulation.truth_set import TrueProducts

__all__ = ["HiddenSearches", "intents_table", "read_hidden", "read_needs", "truth_table"]

_KINDS = pa.array([kind.name.lower() for kind in QueryKind], pa.string())
_PLAIN = (
    "need",
    "user_index",
    "type_index",
    "brand_index",
    "price_shift",
    "threshold",
    "num_stated",
    "persona",
    "occasion",
    "ordered_before",
)


@dataclass(frozen=True)
class HiddenSearches:
    """Searches of the test window with what nobody but the simulator knows of them."""

    search_id: pa.Array
    needs: Needs
    revealed: Revealed
    at: Int64[np.ndarray, " rows"]
    truth: TrueProducts


def truth_table(truth: TrueProducts, number: Int64[np.ndarray, " rows"], product_id: pa.Array) -> pa.Table:
    """Return the true products of searches with these numbers.

    Returns:
        Columns `search_id`, `product_id`, `utility`; a search without true products has no row.
    """
    return pa.table(
        {
            "search_id": search_ids(number[truth.row]),
            "product_id": product_id.take(pa.array(truth.product_index)),
            "utility": pa.array(truth.utility.astype(np.float64)),
        }
    )


def intents_table(searches: Searches, number: Int64[np.ndarray, " rows"]) -> pa.Table:
    """Return the hidden intents of searches with these numbers: the fields of `Needs` and `Revealed`, a row each."""
    needs, phrased = searches.needs, searches.phrased
    return pa.table(
        {
            "search_id": search_ids(number),
            "at_seconds": pa.array(searches.at),
            **{name: pa.array(getattr(needs, name)) for name in _PLAIN},
            "kind": _KINDS.take(pa.array(needs.kind)),
            "wanted": _to_lists(needs.wanted),
            "attempt": pa.array(searches.attempt),
            "names": pa.array(phrased.names),
            "states": _to_lists(phrased.states),
            "states_brand": pa.array(phrased.states_brand),
            "says_shopper_words": pa.array(phrased.says_shopper_words),
        }
    )


def read_hidden(intents: pa.Table, truth: pa.Table, product_id: pa.Array) -> HiddenSearches:
    """Turn the two tables back into what the oracles take.

    Args:
        intents: Of `intents_table`, or some of its rows.
        truth: Of `truth_table`; rows of other searches are left out.
        product_id: Ids of the catalogue, in index order.
    """
    search_id = intents.column("search_id").combine_chunks()
    needs = read_needs(intents)
    revealed = Revealed(
        _from_lists(intents, "states").astype(bool), _numbers(intents, "names"), _numbers(intents, "states_brand")
    )
    row = IdMap(search_id).index_of(truth.column("search_id"))
    kept = row >= 0
    product = IdMap(product_id).index_of(truth.column("product_id"))
    utility = _numbers(truth, "utility").astype(np.float32)
    order = np.argsort(row[kept], kind="stable")
    found = TrueProducts(row[kept][order], product[kept][order], utility[kept][order])
    return HiddenSearches(search_id, needs, revealed, _numbers(intents, "at_seconds"), found)


def read_needs(intents: pa.Table) -> Needs:
    """Turn a table of `intents_table`, or some of its rows, back into needs."""
    plain = {name: _numbers(intents, name) for name in _PLAIN}
    kind = pc.index_in(intents.column("kind"), value_set=_KINDS).to_numpy().astype(np.int8)
    return Needs(**plain, kind=kind, wanted=_from_lists(intents, "wanted"))


def _to_lists(rows: np.ndarray) -> pa.Array:
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * rows.shape[1]
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(rows.ravel()))


def _from_lists(table: pa.Table, name: str) -> np.ndarray:
    lists = table.column(name).combine_chunks()
    flat = lists.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat.reshape(len(lists), -1))


def _numbers(table: pa.Table, name: str) -> np.ndarray:
    return np.asarray(table.column(name).to_numpy())
