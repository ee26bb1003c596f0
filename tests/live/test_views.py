from types import SimpleNamespace

import numpy as np

from aisle.core.ranking import QueryBatch, Ranking
from aisle.live import views as module
from aisle.live.views import StageTimes, StoreVectors, StoreWords
from aisle.store import ProductFilter

WHERE = ProductFilter(brands=("Nor",))


class Store:
    dim = 2

    def __init__(self):
        self.calls = []

    def search(self, queries, *, k, where):
        self.calls.append(("search", len(queries), k, where))
        return Ranking(np.zeros((len(queries), k), np.int64), np.ones((len(queries), k), np.float32))

    def search_words(self, texts, *, k, where):
        self.calls.append(("words", list(texts), k, where))
        return Ranking(np.full((len(texts), k), 5), np.ones((len(texts), k), np.float32))

    def vectors(self, product_index):
        return np.ones((len(product_index), 2), np.float32)


def test_every_call_is_bound_to_the_filter_and_timed():
    store, times = Store(), StageTimes()
    vectors, words = StoreVectors(store, WHERE, times), StoreWords(store, WHERE, times)
    assert vectors.dim == 2
    assert vectors.search(np.zeros((1, 2), np.float32), k=3).k == 3
    assert vectors.vectors(np.array([1, 2])).shape == (2, 2)
    ranking = words.retrieve(QueryBatch(["lamp", " ", "lamp"]), k=2)
    assert ranking.product_index.tolist() == [[5, 5], [-1, -1], [5, 5]]
    assert store.calls == [("search", 1, 3, WHERE), ("words", ["lamp"], 2, WHERE)]
    assert set(times.spent_ms) == {"search", "explain", "words"}


def test_words_are_searched_as_they_were_meant():
    store = Store()
    words = StoreWords(store, WHERE, StageTimes(), mend={"lmap": "lamp"}.get)
    words.retrieve(QueryBatch(["lmap", "desk"]), k=2)
    assert store.calls == [("words", ["lamp", "desk"], 2, WHERE)]


def test_a_stage_inside_another_counts_as_its_own_alone(monkeypatch):
    clock = SimpleNamespace(now=0.0)
    monkeypatch.setattr(module, "perf_counter", lambda: clock.now)
    times = StageTimes()
    with times.stage("fuse"):
        clock.now += 0.001
        for _ in range(2):
            with times.stage("search"):
                clock.now += 0.010
        clock.now += 0.002
    with times.stage("fetch"):
        clock.now += 0.005
    told = {name: round(spent, 6) for name, spent in times.spent_ms.items()}
    assert told == {"search": 20, "fuse": 3, "fetch": 5}
