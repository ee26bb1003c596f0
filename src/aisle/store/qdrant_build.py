"""Filling a Qdrant engine with a catalogue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aisle.core.config import config_to_dict
from aisle.store.catalogue import StoredCatalogue
from aisle.store.config import StoreConfig
from aisle.store.kept_fields import FieldsWriter
from aisle.store.payload import FIELDS, PayloadSchema
from aisle.store.qdrant_store import QdrantEngine
from aisle.store.words import LexicalSettings, SparseWords

__all__ = ["Filling"]

_BATCH = 1_000


class Filling:
    """A catalogue on its way into an engine: its words are weighed and its attributes counted when this is made.

    Args:
        catalogue: What the engine shall hold.
        lexical: How products are searched by words.
        config: Parameters of the store.
    """

    def __init__(self, catalogue: StoredCatalogue, lexical: LexicalSettings, config: StoreConfig) -> None:
        self.schema = PayloadSchema.of_catalogue(catalogue.products, most=config.num_attribute_indexes)
        self._catalogue, self._config = catalogue, config
        self._words, self._rows = SparseWords.of_catalogue(catalogue.products, lexical)

    @property
    def values(self) -> dict[str, Any]:
        """What the store must know of itself when it is opened."""
        return {
            "dim": self._catalogue.dim,
            "words": self._words.values,
            "attribute_names": list(self.schema.attribute_names),
            "config": config_to_dict(self._config),
        }

    def fill(self, engine: QdrantEngine, *, fields: FieldsWriter | None = None) -> Iterator[int]:
        """Write all products, and their fields where these are kept apart; yields numbers of products written."""
        for begin in range(0, len(self._catalogue), _BATCH):
            part, words = self._catalogue.part(begin, _BATCH), self._rows.part(begin, _BATCH)
            index, payloads = part.product_index.tolist(), self.schema.payloads(part.products)
            engine.upsert(index, part.vectors, words, payloads)
            if fields is not None:
                fields.add(index, (payload[FIELDS] for payload in payloads))
            yield len(part)
