import numpy as np
import pytest

from aisle.live.cache import VectorCache


def vector(value):
    return np.full((1, 2), value, np.float32)


def test_what_was_asked_lately_is_not_encoded_again():
    cache = VectorCache(2)
    for key, value in (("a", 1), ("b", 2), ("a", 9), ("c", 3), ("b", 4)):
        cache.get(key, lambda value=value: vector(value))
    assert cache.get("b", lambda: vector(0))[0, 0] == 4, "b was the oldest when c came"
    assert (cache.hits, cache.misses, len(cache)) == (2, 4, 2)


def test_without_room_everything_is_encoded():
    cache = VectorCache(0)
    assert [cache.get("a", lambda value=value: vector(value))[0, 0] for value in (1, 2)] == [1, 2]
    assert (cache.hits, cache.misses, len(cache)) == (0, 2, 0)


def test_forgetting_keeps_the_counts():
    cache = VectorCache(4)
    cache.get("a", lambda: vector(1))
    cache.clear()
    assert (len(cache), cache.misses) == (0, 1)
    assert cache.get("a", lambda: vector(2))[0, 0] == 2


def test_an_error_of_the_encoder_leaves_nothing_behind():
    cache = VectorCache(4)
    with pytest.raises(ZeroDivisionError):
        cache.get("a", lambda: 1 / 0)
    assert len(cache) == 0
