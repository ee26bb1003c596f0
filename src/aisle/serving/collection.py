"""Python's garbage collection, kept from going through a whole shop while searches wait.

A served shop is some hundred thousand objects that stay for as long as it is served. A full collection looks at all of
them, which took 270 ms at 100,000 products, and every search waits meanwhile: at 400 searches a second one collection
is the slowest hundredth. What is there when serving begins is therefore taken out of the collector's sight.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["resettle", "settled"]


@contextmanager
def settled() -> Iterator[None]:
    """Collect once, and leave what is there now out of all collections while the block runs."""
    _settle()
    try:
        yield
    finally:
        gc.unfreeze()


def resettle() -> None:
    """Do so again for what has come since, and let go what has gone; nothing outside `settled`."""
    if gc.get_freeze_count():
        gc.unfreeze()
        _settle()


def _settle() -> None:
    gc.collect()
    gc.freeze()
