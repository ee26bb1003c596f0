"""Every error that Aisle raises on purpose.

    AisleError
    ├── UsageError       a command or a call was given something that it cannot use
    ├── ConfigError      a recipe or an override does not hold
    ├── SourceError      a file or a download cannot be read
    ├── TableError       a table breaks the data contract beyond repair
    ├── ShapeError       arrays do not fit each other
    ├── WorkspaceError   an artefact is missing, damaged or of another version
    ├── ModelError       a model cannot be loaded or does not fit its features
    ├── TrainingError    training cannot go on
    └── ServiceError     a service refused a request, or does not answer

Messages follow one grammar: what must hold. Received: name=value. What to do.
The command line prints them without a traceback and exits with 1 (2 for `UsageError`).
"""

from __future__ import annotations

__all__ = [
    "AisleError",
    "ConfigError",
    "ModelError",
    "ServiceError",
    "ShapeError",
    "SourceError",
    "TableError",
    "TrainingError",
    "UsageError",
    "WorkspaceError",
]


class AisleError(Exception):
    """Base of all errors that a user can mend.

    Args:
        must: What must hold.
        received: The values that broke it, by name.
        remedy: What to do about it.

    >>> str(AisleError("k must be at least 1", received={"k": 0}, remedy="Ask for 1 to 1000 results."))
    'k must be at least 1. Received: k=0. Ask for 1 to 1000 results.'
    """

    def __init__(self, must: str, *, received: dict[str, object] | None = None, remedy: str = "") -> None:
        self.must = must
        self.received = dict(received or {})
        self.remedy = remedy
        parts = [must.rstrip(".") + "."]
        if self.received:
            values = ", ".join(f"{name}={value!r}" for name, value in self.received.items())
            parts.append(f"Received: {values}.")
        if remedy:
            parts.append(remedy)
        super().__init__(" ".join(parts))


class UsageError(AisleError):
    """A command or a call was given something that it cannot use."""


class ConfigError(AisleError):
    """A recipe or an override does not hold; lists every problem at once."""


class SourceError(AisleError):
    """A file or a download cannot be read."""


class TableError(AisleError):
    """A table breaks the data contract beyond repair."""


class ShapeError(AisleError):
    """Arrays do not fit each other."""


class WorkspaceError(AisleError):
    """An artefact is missing, damaged or of another version."""


class ModelError(AisleError):
    """A model cannot be loaded or does not fit its features."""


class TrainingError(AisleError):
    """Training cannot go on."""


class ServiceError(AisleError):
    """A service refused a request, or does not answer."""
