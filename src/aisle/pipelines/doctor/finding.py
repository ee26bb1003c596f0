"""One thing that was looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["DAMAGE", "Area", "Finding", "State"]

State = Literal["ok", "warning", "problem"]
"""A problem keeps something from working; a warning does not, but should be known."""

Area = Literal["installation", "workspace", "versions", "journal"]

DAMAGE = (OSError, ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError)
"""What reading a damaged file may raise, beside an `AisleError`: a doctor tells it and goes on."""


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    Attributes:
        area: Where it belongs.
        name: What was looked at.
        state: How it is.
        told: What was found, in words.
        remedy: How to mend it; empty where there is nothing to mend.
    """

    area: Area
    name: str
    state: State
    told: str
    remedy: str = ""
