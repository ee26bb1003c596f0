import inspect

import pytest

from aisle.live import LiveShop
from aisle.serving.backend import ShopBackend


def names(protocol):
    return {name for name, _ in inspect.getmembers(protocol) if not name.startswith("_")}


def test_the_double_of_the_tests_is_a_shop_and_so_is_the_real_one(backend):
    assert names(ShopBackend) <= set(dir(backend))
    assert names(ShopBackend) <= set(dir(LiveShop))


@pytest.mark.parametrize("method", ["search", "put", "delete", "add_events", "erase_actor", "switch_version"])
def test_both_are_called_alike(method):
    asked = list(inspect.signature(getattr(ShopBackend, method)).parameters)
    assert list(inspect.signature(getattr(LiveShop, method)).parameters) == asked
