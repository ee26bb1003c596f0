"""A version in memory: its model, its open store, and how far it has followed the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Condition

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int64

from aisle.core.errors import WorkspaceError
from aisle.core.ids import UNKNOWN
from aisle.live.building import ROWS
from aisle.live.ids import LiveIds
from aisle.live.known import KnownProducts
from aisle.live.model import LiveModel
from aisle.live.rows import product_table
from aisle.live.version import MODEL, STORE, WORDS, Version
from aisle.retrieval import Speller
from aisle.retrieval.loading import load_gate, load_speller
from aisle.retrieval.spelling import TEXT_FIELDS
from aisle.store import Journal, JournalledChange, ProductStore, changed_products, open_store
from aisle.store.journal_records import to_micros

__all__ = ["LoadedVersion"]

_AT_ONCE = 256
_NEVER = np.iinfo(np.int64).min


class LoadedVersion:
    """A version that answers searches and follows the journal.

    Searching threads borrow it; one thread at a time lets it follow. `close` waits for those that have borrowed it.

    Args:
        version: The version, its files checked.
        journal: Holds the changes since its base.
        now_us: Tells the time, in microseconds since 1970: a product that is removed by then is not on sale.

    Raises:
        WorkspaceError: If a file or the store is missing or damaged, or the journal is shorter than the version.
    """

    def __init__(self, version: Version, journal: Journal, *, now_us: Callable[[], int]) -> None:
        self.version, self._journal, self._now_us = version, journal, now_us
        base = version.base(["product_id", "updated_at"])
        self.ids = LiveIds(base["product_id"])
        self._base_updated_us = _updated_us(base)
        known = KnownProducts.load(version.folder)
        self.model = LiveModel.load(
            version.folder / MODEL, known=known, product_ids=base["product_id"], dim=version.settings.dim
        )
        self.speller, self.gate = _load_speller(version), load_gate(version.folder / WORDS)
        self.store: ProductStore = open_store(version.folder / STORE)
        self.applied_offset = self.store.applied_offset
        self._borrowers, self._is_closed = 0, False
        self._returned = Condition()
        try:
            self._check_offsets()
            self._remember()
        except BaseException:
            self.store.close()
            raise

    @contextmanager
    def borrowed(self) -> Iterator[bool]:
        """Keep the store open meanwhile; yields False where it is closed already."""
        with self._returned:
            is_open = not self._is_closed
            self._borrowers += is_open
        try:
            yield is_open
        finally:
            with self._returned:
                self._borrowers -= is_open
                self._returned.notify_all()

    def follow(self) -> None:
        """Apply what the journal holds beyond the applied offset, in its order; a read-only store stays as it is.

        Raises:
            AisleError: If the store cannot take it; what is not applied is tried again at the next call.
        """
        while self.store.is_writable and self.applied_offset < (head := self._journal.head):
            changes = self._journal.product_changes(self.applied_offset, most=_AT_ONCE)
            if changes:
                self._apply(changes)
            self.applied_offset = changes[-1].offset if len(changes) == _AT_ONCE else max(head, _end(changes))

    def is_stale(self, product_id: str, updated_us: int) -> bool:
        """Tell whether the base holds a newer row of a product; the journal knows only its own."""
        index = int(self.ids.index_of([product_id])[0])
        return 0 <= index < self.ids.num_base and updated_us < int(self._base_updated_us[index])

    def flush(self) -> None:
        """Bring what was applied to disk, so that the next start need not apply it again."""
        if self.store.is_writable and self.store.applied_offset < self.applied_offset:
            self.store.flush(self.applied_offset)

    def close(self) -> None:
        """Flush and close the store once nobody has it borrowed; once is enough."""
        with self._returned:
            if self._is_closed:
                return
            self._is_closed = True
            self._returned.wait_for(lambda: self._borrowers == 0)
        self.flush()
        self.store.close()

    def _check_offsets(self) -> None:
        least, applied, head = self.version.base_offset, self.applied_offset, self._journal.head
        if not least <= applied <= head:
            raise WorkspaceError(
                "A store must have followed its own journal",
                received={"base_offset": least, "applied_offset": applied, "journal_head": head},
                remedy="Delete the store's folder: it is built again from catalogue and journal.",
            )

    def _remember(self) -> None:
        """Number again the products that came since the base, and teach the model those that the store holds already.

        The store keeps what was applied; numbers and vector tables are in memory alone.
        """
        after = self.version.base_offset
        while after < self.applied_offset:
            part = self._journal.product_changes(after, most=_AT_ONCE)
            changes = [change for change in part if change.offset <= self.applied_offset]
            if changes:
                index, kept = self._newest(changes)
                there = np.array([change.product is not None for change in kept], np.bool_)
                if there.any():
                    self._learn(index[there], _table([change for change in kept if change.product is not None]))
            after = part[-1].offset if len(part) == _AT_ONCE else self.applied_offset

    def _apply(self, changes: Sequence[JournalledChange]) -> None:
        index, kept = self._newest(changes)
        on_sale = self._on_sale(kept)
        gone = index[~on_sale]
        if len(gone):
            self.store.delete(gone)
        if on_sale.any():
            index, products = index[on_sale], _table([kept[place] for place in np.flatnonzero(on_sale)])
            self._learn(index, products)
            self.store.put(index, products, self.model.encode_products(products, index))

    def _learn(self, index: Int64[np.ndarray, " products"], products: pa.Table) -> None:
        self.model.learn_products(products, index)
        if self.speller is not None:
            self.speller.learn(products)

    def _newest(
        self, changes: Sequence[JournalledChange]
    ) -> tuple[Int64[np.ndarray, " products"], list[JournalledChange]]:
        """Number all products of some changes; return each one's last change that is no older than its base.

        Numbers go by the order in which ids first stand in the journal, whatever became of the changes: so they are
        the same after every start.
        """
        self.ids.claim([change.product_id for change in changes])
        last = list({change.product_id: change for change in changes}.values())
        kept = [change for change in last if not self.is_stale(change.product_id, to_micros(change.updated_at))]
        return self.ids.index_of([change.product_id for change in kept]), kept

    def _on_sale(self, changes: Sequence[JournalledChange]) -> Bool[np.ndarray, " changes"]:
        products = [change.product or {} for change in changes]
        there = np.array([change.product is not None for change in changes], np.bool_)
        if not any(product.get("removed_at") is not None for product in products):
            return there
        removed = product_table([{"removed_at": product.get("removed_at")} for product in products])["removed_at"]
        still = pc.fill_null(pc.greater(removed.cast(pa.int64()), self._now_us()), True)
        return there & np.asarray(still.to_numpy(zero_copy_only=False), np.bool_)


def _load_speller(version: Version) -> Speller | None:
    """Load what mends queries, and teach it the words of base products that the index does not hold as they are."""
    speller = load_speller(version.folder / WORDS)
    if speller is not None:
        changed = np.flatnonzero(np.load(version.folder / ROWS, allow_pickle=False) == UNKNOWN)
        if len(changed):
            speller.learn(version.base(TEXT_FIELDS).take(pa.array(changed)))
    return speller


def _table(changes: Sequence[JournalledChange]) -> pa.Table:
    """Return journalled products as a table; each is as of its change."""
    try:
        return product_table([{**(change.product or {}), "updated_at": change.updated_at} for change in changes])
    except (pa.ArrowException, TypeError, ValueError):  # what was not checked before it was journalled
        return changed_products(changes)


def _updated_us(products: pa.Table) -> Int64[np.ndarray, " products"]:
    if "updated_at" not in products.column_names:
        return np.full(products.num_rows, _NEVER)
    return np.asarray(pc.fill_null(products["updated_at"].cast(pa.int64()), _NEVER).to_numpy(), np.int64)


def _end(changes: Sequence[JournalledChange]) -> int:
    return changes[-1].offset if changes else 0
