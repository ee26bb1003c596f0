"""Random draws that depend on what they are for, not on when they are made.

A stream of numbers would tie every draw to the order of the work: another block size, and the whole log is another one.
Here a draw is a hash of its keys (the shopper, the need, the place on the page), so that it is the same in any order.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Float64, Int64, UInt64

from aisle.core.rng import stream_seed

__all__ = ["Draws"]

_STEP = np.array(0x9E3779B97F4A7C15, np.uint64)
_MIX_1 = np.array(0xBF58476D1CE4E5B9, np.uint64)
_MIX_2 = np.array(0x94D049BB133111EB, np.uint64)
_LOW_16 = np.array(0xFFFF, np.uint64)
_NORMAL_SCALE = np.float32(np.sqrt(3.0) / 2**16)
_NORMAL_MEAN = np.float32(2.0 * (2**16 - 1))

Keys = Int64[np.ndarray, "*shape"]


class Draws:
    """One named family of draws.

    Source: the mixing function of Steele, Lea and Flood 2014, "Fast splittable pseudorandom number generators".
    """

    def __init__(self, seed: int, *names: str | int) -> None:
        # Of one element rather than a scalar: NumPy warns of the wanted overflow in scalars only.
        self._start = np.array([stream_seed(seed, *names)], np.uint64)

    def uniform(self, *keys: Keys) -> Float64[np.ndarray, "*shape"]:
        """Draw evenly from [0, 1), once per combination of keys; the keys broadcast."""
        return np.asarray((self._hash(*keys) >> 11).astype(np.float64) * 2.0**-53)

    def normal(self, *keys: Keys) -> Float32[np.ndarray, "*shape"]:
        """Draw about standard-normal values within ±3.47, once per combination of keys.

        The sum of four uniform draws: bounded, so that no draw outweighs everything else, and far cheaper than a true
        normal draw, which no reader of a click could tell apart from it.
        """
        hashed = self._hash(*keys)
        total = np.zeros(hashed.shape, np.float32)
        for shift in (0, 16, 32, 48):
            total += ((hashed >> shift) & _LOW_16).astype(np.float32)
        return np.asarray((total - _NORMAL_MEAN) * _NORMAL_SCALE)

    def index(self, size: Int64[np.ndarray, "*shape"] | int, *keys: Keys) -> Int64[np.ndarray, "*shape"]:
        """Draw evenly from 0 to size − 1 (0 where the size is 0)."""
        return np.floor(self.uniform(*keys) * size).astype(np.int64)

    def _hash(self, *keys: Keys) -> UInt64[np.ndarray, "*shape"]:
        mixed = self._start
        for key in keys:
            mixed = _mix(mixed + np.asarray(key).astype(np.uint64) * _STEP + _STEP)
        return mixed


def _mix(number: UInt64[np.ndarray, "*shape"]) -> UInt64[np.ndarray, "*shape"]:
    mixed = (number ^ (number >> 30)) * _MIX_1
    mixed = (mixed ^ (mixed >> 27)) * _MIX_2
    return np.asarray(mixed ^ (mixed >> 31))
