"""How many threads Faiss uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import faiss as faiss_library

__all__ = ["faiss_threads"]

faiss: Any = faiss_library  # the stubs that it ships lack these


@contextmanager
def faiss_threads(num_threads: int) -> Iterator[None]:
    """Let Faiss use this many threads, 0 for all; the setting is the process's, so it is put back."""
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(num_threads or before)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)
