"""Products as serving searches them, and the journal of what changed since the catalogue was imported.

A store holds vectors, words and filterable fields behind one protocol. It is derived: catalogue and journal are the
truth.
"""

from aisle.store.build import build_store, discard_store, open_store
from aisle.store.config import StoreConfig, StoreKind
from aisle.store.filters import FACET_FIELDS, NO_FILTER, ProductFilter
from aisle.store.journal import Journal
from aisle.store.journal_inspection import JournalView, inspect_journal
from aisle.store.journal_records import Compacted, JournalEvent, JournalledChange, JournalledEvent, ProductChange
from aisle.store.journal_retention import ACTOR_KINDS
from aisle.store.merging import changed_products, merge_changes
from aisle.store.protocol import FacetCount, ProductStore
from aisle.store.words import LexicalSettings

__all__ = [
    "ACTOR_KINDS",
    "FACET_FIELDS",
    "NO_FILTER",
    "Compacted",
    "FacetCount",
    "Journal",
    "JournalEvent",
    "JournalView",
    "JournalledChange",
    "JournalledEvent",
    "LexicalSettings",
    "ProductChange",
    "ProductFilter",
    "ProductStore",
    "StoreConfig",
    "StoreKind",
    "build_store",
    "changed_products",
    "discard_store",
    "inspect_journal",
    "merge_changes",
    "open_store",
]
