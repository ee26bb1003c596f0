"""Kinds of logged searches that are measured apart: by query, by shopper, by what was to be found."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int64

from aisle.core.errors import UsageError
from aisle.evaluation import REPEATS
from aisle.mining import BANDS, MinedLog
from aisle.pipelines.column_slices import COLUMN, WORDS
from aisle.tables import SPLITS, read_parquet

__all__ = ["SLICE_GROUPS", "chosen_slices", "search_slices"]

SLICE_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "band": BANDS,
        "signed-in": ("signed in", "anonymous"),
        "returning": ("new actor", "returning actor"),
        "history": ("with history", "without history"),
        "cold": ("cold products",),
        "domestic": ("domestic", "abroad"),
        "repeats": (REPEATS,),
    }
)
"""Names by which slices are chosen, with the slices of each.

*band*: of the query's frequency as of the last snapshot before the search. *returning*: whether the actor had searched
or acted before; nobody known is in neither. *history*: whether there are events to read. *cold*: nothing that is to be
found had been shown before the snapshot. *domestic*: where all that is to be found is sold from the search's own place,
or none of it. *repeats*: products that the actor had ordered before; they are in no other figure.
"""

_SIGNED_IN = "user"
_LATER = np.iinfo(np.int64).max


def chosen_slices(groups: Collection[str] | None) -> frozenset[str]:
    """Return the names of the slices of some groups; None: of all.

    Groups that `aisle.pipelines.column_slices` makes have no fixed names and add none.

    Raises:
        UsageError: If a group is unknown.
    """
    wanted = SLICE_GROUPS if groups is None else _fixed(groups)
    unknown = sorted(set(wanted) - set(SLICE_GROUPS))
    if unknown:
        raise UsageError(
            f"Slices of a log must be among {', '.join(SLICE_GROUPS)}, {WORDS}, {COLUMN}NAME",
            received={"slices": unknown},
            remedy="Name them as a list with commas, or leave --slices out for all.",
        )
    return frozenset(name for group in wanted for name in SLICE_GROUPS[group])


def _fixed(groups: Collection[str]) -> list[str]:
    return [group for group in groups if group != WORDS and not group.startswith(COLUMN)]


def search_slices(
    mined: MinedLog,
    examples: pa.Table,
    products: pa.Table,
    *,
    row: Int64[np.ndarray, " found"],
    product_index: Int64[np.ndarray, " found"],
) -> dict[str, Bool[np.ndarray, " searches"]]:
    """Sort searches into slices; those that would be empty are left out.

    Args:
        mined: The log.
        examples: Searches: rows of its table.
        products: The catalogue.
        row: Search of each product that is to be found.
        product_index: The product.
    """
    band = examples.column("band").to_numpy(zero_copy_only=False)
    is_signed_in = examples.column("actor_kind").to_numpy(zero_copy_only=False) == _SIGNED_IN
    has_history = _int64(examples, "history_end") > _int64(examples, "history_start")
    is_warm = np.zeros(products.num_rows, bool)
    is_warm[_int64(mined.table("statistics", mined.windows.num_slices), "product_index")] = True
    cold = _share(~is_warm[product_index], row, examples.num_rows)
    slices = {name: band == name for name in BANDS}
    slices |= {"signed in": is_signed_in, "anonymous": ~is_signed_in}
    slices |= _by_return(mined, examples, has_history)
    slices |= {"with history": has_history, "without history": ~has_history, "cold products": cold == 1}
    slices |= _by_place(examples, products, row, product_index)
    return {name: mask for name, mask in slices.items() if mask.any()}


def _by_return(
    mined: MinedLog, examples: pa.Table, has_history: Bool[np.ndarray, " searches"]
) -> dict[str, Bool[np.ndarray, " searches"]]:
    first = np.full(mined.table("actors").num_rows, _LATER)
    for split in SPLITS:
        path = mined.folder / "examples" / f"{split}.parquet"
        searches = read_parquet(path, columns=["actor_index", "searched_at"])
        actor, at = _int64(searches, "actor_index"), _microseconds(searches)
        np.minimum.at(first, actor[actor >= 0], at[actor >= 0])
    actor = _int64(examples, "actor_index")
    is_known = actor >= 0
    searched_before = is_known & (np.append(first, _LATER)[actor] < _microseconds(examples))
    is_returning = searched_before | has_history
    return {"new actor": is_known & ~is_returning, "returning actor": is_returning}


def _by_place(
    examples: pa.Table, products: pa.Table, row: Int64[np.ndarray, " found"], product_index: Int64[np.ndarray, " found"]
) -> dict[str, Bool[np.ndarray, " searches"]]:
    if "location" not in products.column_names:
        return {}
    place = examples.column("location").combine_chunks().take(pa.array(row))
    is_own = pc.equal(place, products.column("location").combine_chunks().take(pa.array(product_index)))
    is_domestic = pc.fill_null(is_own, False).to_numpy(zero_copy_only=False)
    known = _share(pc.is_valid(is_own).to_numpy(zero_copy_only=False), row, examples.num_rows) == 1
    domestic = _share(is_domestic, row, examples.num_rows)
    return {"domestic": known & (domestic == 1), "abroad": known & (domestic == 0)}


def _share(flag: Bool[np.ndarray, " found"], row: Int64[np.ndarray, " found"], num_searches: int) -> np.ndarray:
    """Return the share of each search's products that are flagged; NaN where it has none."""
    count = np.bincount(row, minlength=num_searches)
    flagged = np.bincount(row, weights=flag, minlength=num_searches)
    return np.where(count > 0, flagged / np.maximum(count, 1), np.nan)


def _int64(table: pa.Table, name: str) -> Int64[np.ndarray, " rows"]:
    return np.asarray(table.column(name).to_numpy(), np.int64)


def _microseconds(searches: pa.Table) -> Int64[np.ndarray, " searches"]:
    return np.asarray(searches.column("searched_at").cast(pa.int64()).to_numpy(), np.int64)
