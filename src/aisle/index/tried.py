"""Values of a setting that tuning tries. They stand beside the setting, so that a new kind of index is tuned too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, get_type_hints

__all__ = ["Tried", "tried_values"]


@dataclass(frozen=True)
class Tried:
    """Annotates a field of an index's config: `Annotated[int, Tried(16, 32)]`.

    Attributes:
        values: What is tried.
        is_of_search: Whether the value can be changed on a built index, by its `with_search`.
    """

    values: tuple[Any, ...]
    is_of_search: bool = False


def tried_values(config: type[Any], *, is_of_search: bool) -> Mapping[str, tuple[Any, ...]]:
    """Return the values to try of every field that has some.

    Args:
        config: Dataclass of an index's settings.
        is_of_search: Those of searching; else those of building.
    """
    hints = get_type_hints(config, include_extras=True)
    notes = [(field.name, note) for field in fields(config) for note in getattr(hints[field.name], "__metadata__", ())]
    return {name: note.values for name, note in notes if isinstance(note, Tried) and note.is_of_search == is_of_search}
