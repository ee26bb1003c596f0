"""The name that was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["did_you_mean"]


def did_you_mean(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known name closest to `name`, whatever its case; None where none is close.

    Args:
        name: The name as written.
        known: The names that exist.
        cutoff: Least similarity, 0 to 1 (difflib's ratio).

    >>> did_you_mean("titel", ["title", "price"])
    'title'
    """
    by_lower = {other.lower(): other for other in known}
    close = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=cutoff)
    return by_lower[close[0]] if close else None
