"""A catalogue of six products and a backend that each test can read at a glance."""

import threading
from collections import Counter
from dataclasses import dataclass, field

import pytest
from fastapi.testclient import TestClient

from aisle.core.errors import UsageError
from aisle.live import Erased, LiveAnswer, LiveSearch, LiveState, VersionView, WriteResult
from aisle.retrieval import Hit
from aisle.serving import create_app

HERE = "http://127.0.0.1:8000"

HOSTILE_TITLE = "<img src=x onerror=\"document.title='owned'\"> usb <b>hub</b>"

PRODUCTS = {
    "hub": {"title": "USB hub, 4 ports", "brand": "Northwind", "price": 24.9, "currency": "EUR"},
    "dock": {
        "title": "Docking station with " + "USB ports and " * 20,
        "category": ["Computers", "Docks"],
        "price": 189.0,
    },
    "cable": {"title": "USB cable", "description": "Charges and syncs.", "price": 5, "currency": "credits"},
    "mouse": {"title": "Wireless mouse", "brand": "Contoso", "price": None},
    "hostile": {"title": HOSTILE_TITLE, "brand": "<i>x</i>", "description": "<script>document.title='owned'</script>"},
    "bare": {},
}

ORDERS = {
    "lexical": ["hub", "hostile", "cable"],
    "semantic": ["dock", "hub", "mouse", "bare"],
    "hybrid": ["hub", "dock", "cable"],
}


def explanation_of(rank, mode):
    """The second result of a hybrid was found by meaning alone; semantic scores have a part that takes away."""
    if mode == "lexical":
        return None
    parts = {"term": 0.5, "history": -0.1}
    sides = {
        "lexical": {"weight": 0.5, "rank": 1, "score": 7.25, "normalised": 1.0, "adds": 0.5},
        "semantic": {"weight": 0.5, "rank": rank, "score": 0.4, "normalised": 0.8, "adds": 0.4},
    }
    if rank == 2:
        sides["lexical"] |= {"rank": None, "score": None, "normalised": 0.0, "adds": 0.0}
    return {"semantic_score": 0.4, "parts": parts, "sides": sides if mode == "hybrid" else {}}


def passes(name, where):
    product = PRODUCTS[name]
    price = product.get("price")
    return (
        (not where.brands or product.get("brand") in where.brands)
        and tuple(product.get("category") or ())[: len(where.category)] == tuple(where.category)
        and (where.price_min is None or (price is not None and price >= where.price_min))
        and (where.price_max is None or (price is not None and price <= where.price_max))
        and name not in where.blocked
    )


@dataclass
class FakeShop:
    """Answers every query with the mode's fixed list and what was put, and "nothing" with an empty one."""

    modes: tuple[str, ...] = tuple(ORDERS)
    default_mode: str = "hybrid"
    asked: list[LiveSearch] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    written: list[tuple] = field(default_factory=list)
    put_products: dict[str, dict] = field(default_factory=dict)
    current: str = "v2"

    def search(self, asked):
        self.asked.append(asked)
        self.threads.add(threading.current_thread().name)
        mode = asked.mode or self.default_mode
        if mode not in self.modes:
            raise UsageError("mode must be known", received={"mode": mode}, remedy=f"Use one of {self.modes}.")
        known = [] if asked.query == "nothing" else [name for name in ORDERS[mode] if passes(name, asked.where)]
        found = {name: PRODUCTS[name] for name in known} | self.put_products
        hits = [
            Hit(rank, name, 1 / rank, product, explanation_of(rank, mode) if asked.explain else None)
            for rank, (name, product) in enumerate(list(found.items())[: asked.k], start=1)
        ]
        is_counted = bool(asked.facets) or not asked.where.is_empty
        return LiveAnswer(
            hits=hits,
            mode=mode,
            version=self.current,
            matching=sum(passes(name, asked.where) for name in PRODUCTS) if is_counted else None,
            facets={name: self._facet(name, asked.where) for name in asked.facets},
            stage_ms={"encode": 0.5, "search": 1.25},
        )

    def _facet(self, name, where):
        paths = [PRODUCTS[one].get(name) for one in PRODUCTS if passes(one, where)]
        values = [" > ".join(value) if isinstance(value, list) else value for value in paths if value]
        return sorted(Counter(values).items(), key=lambda pair: (-pair[1], pair[0]))

    def put(self, rows):
        self.threads.add(threading.current_thread().name)
        self.put_products |= {row["product_id"]: dict(row) for row in rows}
        return self._note("put", [(row["product_id"], row) for row in rows])

    def delete(self, product_ids):
        for product_id in product_ids:
            self.put_products.pop(product_id, None)
        return self._note("delete", [(product_id, None) for product_id in product_ids])

    def add_events(self, rows):
        return self._note("event", [(row["event_id"], row) for row in rows])

    def _note(self, kind, rows):
        results = []
        for line, (name, row) in enumerate(rows, start=1):
            if name == "stale":
                results.append(WriteResult(line=line, id=name, status="stale"))
                continue
            if name == "unwanted":
                results.append(WriteResult(line=line, id=name, status="refused", problem="No. Received: it."))
                continue
            self.written.append((kind, name, row))
            results.append(WriteResult(line=line, id=name, status="written", offset=len(self.written)))
        return results

    def erase_actor(self, kind, actor_id):
        self.written.append(("erase", kind, actor_id))
        return Erased(kind, actor_id, 3)

    def versions(self):
        states = [("v2", "current" if self.current == "v2" else "ready"), ("v1", "ready")]
        return [VersionView(name, state, "2026-05-17T09:30:00Z", 6, len(self.written)) for name, state in states]

    def build_version(self):
        return VersionView("v3", "building", "2026-05-18T09:30:00Z", 0, 0)

    def switch_version(self, version_id):
        if version_id not in {"v1", "v2"}:
            raise UsageError("A version must be there", received={"id": version_id}, remedy="See the list.")
        self.current = version_id
        return VersionView(version_id, "current", "2026-05-17T09:30:00Z", 6, len(self.written))

    def state(self):
        num = len(PRODUCTS) + len(self.put_products)
        return LiveState(
            version=self.current,
            store="memory",
            num_products=num,
            version_age_s=60.0,
            journal_head=len(self.written),
            applied_offset=len(self.written),
            cache_hits=3,
            cache_misses=5,
            actors=2,
            building=False,
        )


@pytest.fixture
def backend():
    return FakeShop()


@pytest.fixture
def app(backend):
    return create_app(backend, info={"name": "Six things", "examples": ["usb hub", "a & b = c?"]})


@pytest.fixture
def client(app):
    return TestClient(app, base_url=HERE, raise_server_exceptions=False)


@pytest.fixture(scope="session")
def shared_backend():
    return FakeShop()


@pytest.fixture(scope="module")
def shown_shop():
    """For a browser; that of the properties has what they put into it."""
    return FakeShop()


@pytest.fixture(scope="session")
def shared_app(shared_backend):
    """For properties, which ask one service many times."""
    return create_app(shared_backend, info={})


@pytest.fixture(scope="session")
def shared_client(shared_app):
    return TestClient(shared_app, base_url=HERE, raise_server_exceptions=False)
