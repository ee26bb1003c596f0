import inspect

from aisle.serving.backend import ShopBackend, ShopState


def names(protocol):
    return {name for name, _ in inspect.getmembers(protocol) if not name.startswith("_")}


def test_the_double_of_the_tests_is_a_shop(backend):
    assert names(ShopBackend) <= set(dir(backend))
    assert names(ShopState) <= set(dir(backend.state()))
