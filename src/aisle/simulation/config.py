"""Sizes and seed of a marketplace, and the frozen ones that experiments share."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Annotated, Any

from annotated_types import Ge, Le

from aisle.core.config import config_from_dict
from aisle.core.errors import UsageError

__all__ = ["FROZEN_CONFIGS", "MAX_MARKETPLACE", "MarketplaceConfig", "frozen_config", "frozen_figures"]

MAX_MARKETPLACE = 1_000_000
"""Most products."""

FROZEN_CONFIGS = ("small", "default")


@dataclass(frozen=True)
class MarketplaceConfig:
    """A marketplace and its log, in full: the same config gives the same tables."""

    products: Annotated[int, Ge(100), Le(MAX_MARKETPLACE)] = 20_000
    """Products of the catalogue; a catalogue of one's own has its own number."""

    searches: Annotated[int, Ge(100), Le(99_999_999)] = 150_000
    """Searches of the log. More: more that can be learnt, in proportion more time and disk."""

    users: Annotated[int, Ge(10), Le(99_999_999)] = 25_000
    """Shoppers, known and unknown. Fewer for the same searches: longer histories."""

    days: Annotated[int, Ge(10), Le(3_650)] = 90
    """Days that the log covers."""

    seed: int = 0
    """Seed of everything."""


def frozen_config(name: str) -> MarketplaceConfig:
    """Return a frozen config.

    Raises:
        UsageError: If there is none of this name.
    """
    values = _read(name)
    values.pop("frozen", None)
    return config_from_dict(MarketplaceConfig, values)


def frozen_figures(name: str) -> dict[str, Any]:
    """Return what the log of a frozen config came to when it was frozen: counts, and the hash of what was asked.

    Raises:
        UsageError: If there is no config of this name.
    """
    return dict(_read(name).get("frozen", {}))


def _read(name: str) -> dict[str, Any]:
    if name not in FROZEN_CONFIGS:
        raise UsageError(
            "A frozen config must be one of those that exist",
            received={"config": name},
            remedy=f"Choose among {', '.join(FROZEN_CONFIGS)}.",
        )
    return tomllib.loads((files("aisle.simulation") / "configs" / f"{name}.toml").read_text(encoding="utf-8"))
