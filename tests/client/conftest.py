"""A service over real sockets, with the double of the serving tests behind it."""

import importlib.util
from pathlib import Path

import httpx
import pytest

from aisle.serving import KeyRing, ServiceSettings, create_app, run_in_background

KEY = "a-key-of-many-characters"


def _double():
    path = Path(__file__).parents[1] / "serving" / "conftest.py"
    spec = importlib.util.spec_from_file_location("serving_double", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.FakeShop()


@pytest.fixture
def shop():
    return _double()


@pytest.fixture
def service(shop):
    settings = ServiceSettings(keys=KeyRing.of(KEY))
    with run_in_background(create_app(shop, info={}, settings=settings)) as address:
        yield address


@pytest.fixture
def key():
    return KEY


class Flaky(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Fails with what it is given, then answers."""

    def __init__(self, *failures):
        self.failures = list(failures)
        self.num_sent = 0

    def handle_request(self, request):
        self.num_sent += 1
        if not self.failures:
            return httpx.Response(200, json={"status": "alive"})
        failure = self.failures.pop(0)
        if isinstance(failure, Exception):
            raise failure
        return httpx.Response(failure, headers={"retry-after": "0"})

    async def handle_async_request(self, request):
        return self.handle_request(request)


@pytest.fixture
def flaky():
    return Flaky
