"""A catalogue of six products and a backend that each test can read at a glance."""

import threading
from dataclasses import dataclass, field

import pytest
from fastapi.testclient import TestClient

from aisle.core.errors import UsageError
from aisle.core.shopper import NOBODY
from aisle.serving import create_app

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


@dataclass(frozen=True)
class Hit:
    rank: int
    product_id: str
    score: float
    product: dict
    explanation: dict | None = None


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


@dataclass
class FakeBackend:
    """Answers every query with the mode's fixed list, and "nothing" with an empty one."""

    modes: tuple[str, ...] = tuple(ORDERS)
    default_mode: str = "hybrid"
    asked: list[tuple[str, int, str | None]] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    shoppers: list = field(default_factory=list)

    def search(self, query, *, k=24, mode=None, shopper=NOBODY, explain=False):
        self.asked.append((query, k, mode))
        self.threads.add(threading.current_thread().name)
        if mode not in self.modes:
            raise UsageError("mode must be known", received={"mode": mode}, remedy=f"Use one of {self.modes}.")
        order = [] if query == "nothing" else ORDERS[mode][:k]
        self.shoppers.append(shopper)
        return [
            Hit(rank, name, 1 / rank, PRODUCTS[name], explanation_of(rank, mode) if explain else None)
            for rank, name in enumerate(order, start=1)
        ]


@pytest.fixture
def backend():
    return FakeBackend()


@pytest.fixture
def app(backend):
    return create_app(backend, info={"name": "Six things", "products": 6, "examples": ["usb hub", "a & b = c?"]})


@pytest.fixture
def client(app):
    return TestClient(app, raise_server_exceptions=False)


@pytest.fixture(scope="session")
def shared_backend():
    return FakeBackend()


@pytest.fixture(scope="session")
def shared_app(shared_backend):
    """For properties, which ask one service many times."""
    return create_app(shared_backend, info={"products": 6})


@pytest.fixture(scope="session")
def shared_client(shared_app):
    return TestClient(shared_app, raise_server_exceptions=False)
