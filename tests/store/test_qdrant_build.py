import numpy as np
import pyarrow as pa

from aisle.store import LexicalSettings, StoreConfig
from aisle.store.catalogue import StoredCatalogue
from aisle.store.qdrant_build import Filling
from aisle.store.words import SparseWords


class Recorder:
    """Keeps what it is given."""

    def __init__(self):
        self.points = []

    def upsert(self, product_index, vectors, words, payloads):
        assert len(product_index) == len(vectors) == len(words) == len(payloads)
        self.points += zip(product_index, vectors, words.rows(), payloads, strict=True)


def test_all_products_are_written_in_batches_with_their_words(monkeypatch, random_vectors):
    monkeypatch.setattr("aisle.store.qdrant_build._BATCH", 4)
    table = pa.table({"product_id": [f"p{i}" for i in range(10)], "title": [f"thing word{i}" for i in range(10)]})
    catalogue = StoredCatalogue.checked(table, random_vectors(10, seed=1), np.arange(10) * 3)
    filling, engine = Filling(catalogue, LexicalSettings(("title",)), StoreConfig()), Recorder()
    assert list(filling.fill(engine)) == [4, 4, 2]
    assert [point[0] for point in engine.points] == list(range(0, 30, 3))
    assert [point[3]["product"]["product_id"] for point in engine.points] == table["product_id"].to_pylist()
    words = SparseWords.of_values(filling.values["words"])
    assert [point[2] for point in engine.points] == list(words.of_products(table).rows())
    assert filling.values["dim"] == 16
