"""Clients of a crash test over HTTP: they write without a pause, and remember what they were told."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any

import numpy as np

from aisle.core.rng import generator
from crash_ledger import Findings

GONE = "gone"
"""Token of a product that was deleted, or never was."""

_PRODUCTS = 6
_TIMEOUT_S = 60.0


class Caller:
    """One connection to a service.

    Args:
        address: Such as "http://127.0.0.1:8000/".
    """

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(address.split("/")[2], timeout=_TIMEOUT_S)

    def call(self, method: str, path: str, body: bytes | None = None, *, kind: str = "application/json") -> Any:
        """Make a request and return the documents of its answer, one per line.

        Raises:
            OSError: If the connection breaks, or the answer is no success.
        """
        try:
            self._connection.request(method, path, body, {"Content-Type": kind})
            answer = self._connection.getresponse()
            content = answer.read()
        except http.client.HTTPException as error:
            raise ConnectionError(str(error)) from error
        if answer.status >= 300:
            raise OSError(f"{answer.status}: {content[:300]!r}")
        return [json.loads(line) for line in content.splitlines()]

    def post(self, path: str, document: object) -> Any:
        """Send a document and return the one that answers it."""
        return self.call("POST", path, json.dumps(document).encode())[0]


@dataclass
class Shelf:
    """The products of one client, by id: what they were last told to be, and what they may be since.

    Attributes:
        settled: Token of the last acknowledged write.
        open: Tokens of later writes that were not acknowledged.
    """

    settled: dict[str, str]
    open: dict[str, list[str]] = field(default_factory=dict)

    def begin(self, name: str, token: str) -> None:
        """Note a write that is about to be sent."""
        self.open.setdefault(name, []).append(token)

    def settle(self, name: str, token: str) -> None:
        """Note that a product is known to be this."""
        self.settled[name] = token
        self.open.pop(name, None)

    def hold_against(self, found: dict[str, tuple[str, str]]) -> Findings:
        """Compare with what is found, and take that for settled: a product's two tokens by its id."""
        lost = half = 0
        for name, settled in list(self.settled.items()):
            first, second = found.get(name, (GONE, GONE))
            half += first != second
            lost += first == second and first not in (settled, *self.open.get(name, ()))
            self.settle(name, first)
        return Findings(0, lost, half)


class Clients:
    """Threads that put, delete and tell of events until the service is gone.

    Args:
        num: Number of threads.
    """

    def __init__(self, num: int) -> None:
        names = [[f"crash{client}x{product}" for product in range(_PRODUCTS)] for client in range(num)]
        self.shelves = [Shelf(dict.fromkeys(ids, GONE)) for ids in names]
        self.event_ids: list[str] = []
        self.refusals: list[str] = []
        self.num_acknowledged = 0
        self._lock = Lock()
        self._calls = 0

    def run(self, address: str, number: int, *, stopped: Event) -> list[Thread]:
        """Start the threads of a round; they end when the service does, or when they are told to."""
        threads = [
            Thread(
                target=self._write,
                args=(Caller(address), shelf, generator(number, client)),
                kwargs={"stopped": stopped},
            )
            for client, shelf in enumerate(self.shelves)
        ]
        for thread in threads:
            thread.start()
        return threads

    def _write(self, caller: Caller, shelf: Shelf, rng: np.random.Generator, *, stopped: Event) -> None:
        names = list(shelf.settled)
        while not stopped.is_set():
            picked = [names[place] for place in rng.permutation(len(names))[: int(rng.integers(2, 5))]]
            try:
                self._call(caller, shelf, picked, kind=rng.random())
            except ConnectionError:
                return
            except OSError as error:
                self.refusals.append(str(error))

    def _call(self, caller: Caller, shelf: Shelf, picked: Sequence[str], *, kind: float) -> None:
        token = self._token()
        if kind < 0.25:
            event = {"action_name": "click", "event_id": token, "user_id": f"u{token}", "user_query": token}
            caller.post("/v1/events", event)
            with self._lock:
                self.event_ids.append(token)
                self.num_acknowledged += 1
            return
        if kind < 0.75:
            picked = picked[:1]
        token = GONE if 0.6 < kind < 0.75 else token
        for name in picked:
            shelf.begin(name, token)
        if token == GONE:
            caller.call("DELETE", f"/v1/products/{picked[0]}")
        elif kind < 0.75:
            caller.call("PUT", f"/v1/products/{picked[0]}", json.dumps(product(picked[0], token)).encode())
        else:
            lines = [{"product_id": name, **product(name, token)} for name in picked]
            body = "".join(json.dumps(line) + "\n" for line in lines).encode()
            results = caller.call("PUT", "/v1/products", body, kind="application/x-ndjson")
            picked = [result["id"] for result in results if result["status"] == "written"]
        for name in picked:
            shelf.settle(name, token)
        with self._lock:
            self.num_acknowledged += len(picked)

    def _token(self) -> str:
        with self._lock:
            self._calls += 1
            return f"v{self._calls}"


def product(name: str, token: str) -> dict[str, object]:
    """Return a product that is found by its name and carries the token twice."""
    return {"title": f"{name} {token}", "brand": token, "price": 1.0, "in_stock": True}


def found_products(caller: Caller, names: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Search for products by name, and return the two tokens of those that are there."""
    found = {}
    for name in names:
        answer = caller.post("/v1/search", {"query": name, "mode": "lexical", "k": 50})
        for hit in answer["hits"]:
            if hit["product_id"] == name:
                found[name] = (hit["product"]["title"].split(" ")[1], hit["product"]["brand"])
    return found
