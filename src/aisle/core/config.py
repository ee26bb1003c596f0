"""Recipes: TOML and `--set a.b=value` become frozen dataclasses; every problem is reported at once.

Config classes stand beside the code that they configure. They are plain frozen dataclasses whose fields carry
bounds (`Annotated[float, Gt(0)]`); this module fills and checks them.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from aisle.core.errors import ConfigError

__all__ = ["apply_overrides", "config_from_dict", "config_to_dict", "flat_values", "read_toml"]

Config = TypeVar("Config")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        ConfigError: If the file is missing or not TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError("The recipe must exist", received={"path": str(path)}, remedy="Check the path.") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError(
            "The recipe must be a TOML file",
            received={"path": str(path), "problem": str(error)},
            remedy="Mend the file.",
        ) from error


def apply_overrides(values: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
    """Return a copy of nested values with `a.b=value` assignments applied.

    A value is read as a TOML literal (`true`, `0.5`, `[1, 2]`); what is none is taken as text.

    >>> apply_overrides({"text": {"enabled": True}}, ["text.enabled=false", "fusion=concat"])
    {'text': {'enabled': False}, 'fusion': 'concat'}

    Raises:
        ConfigError: If an override has no `=` or its path runs through a value that has no fields.
    """
    result = _deep_copy(values)
    problems = []
    for override in overrides:
        path, equals, literal = override.partition("=")
        names = path.strip().split(".")
        if not equals or not all(names):
            problems.append(f"{override!r} is not of the form a.b=value")
            continue
        node = result
        for name in names[:-1]:
            node = node.setdefault(name, {})
            if not isinstance(node, dict):
                problems.append(f"{override!r} runs through {name!r}, which has no fields")
                break
        else:
            node[names[-1]] = _literal(literal.strip())
    if problems:
        raise ConfigError("Overrides must fit the recipe", received={"problems": problems}, remedy="See `--help`.")
    return result


def config_from_dict(cls: type[Config], values: Mapping[str, Any]) -> Config:
    """Build a frozen config dataclass from nested values; missing fields take their defaults.

    Raises:
        ConfigError: With every unknown name, wrong type and value out of bounds; infinite values are always.
    """
    import pydantic

    problems = _unknown_names(cls, values, prefix="")
    try:
        config = pydantic.TypeAdapter(cls).validate_python(_deep_copy(values))
        problems += _not_finite(config_to_dict(config), prefix="")
    except pydantic.ValidationError as error:
        problems += [
            f"{'.'.join(map(str, item['loc']))}: {item['msg']} (received {item['input']!r})" for item in error.errors()
        ]
    if problems:
        raise ConfigError(
            "The recipe must hold", received={"problems": problems}, remedy="Mend these values and run again."
        )
    return config


def config_to_dict(config: object) -> dict[str, Any]:
    """Return a config dataclass as nested plain values (JSON-able), for manifests and saved models."""
    if not dataclasses.is_dataclass(config) or isinstance(config, type):
        raise TypeError("config_to_dict takes an instance of a dataclass")
    return _plain(dataclasses.asdict(config))


def flat_values(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Lay nested settings flat, by dotted names.

    >>> flat_values({"train": {"epochs": 2}, "seed": 0})
    {'train.epochs': 2, 'seed': 0}
    """
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= flat_values(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _literal(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return text


def _deep_copy(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _deep_copy(value) if isinstance(value, Mapping) else value for name, value in values.items()}


def _not_finite(values: Mapping[str, Any], *, prefix: str) -> list[str]:
    """Find infinite and undefined numbers: JSON has none, so no manifest could hold them."""
    problems = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            problems += _not_finite(value, prefix=f"{prefix}{name}.")
        elif isinstance(value, float) and not math.isfinite(value):
            problems.append(f"{prefix}{name}: Input should be a finite number (received {value!r})")
    return problems


def _unknown_names(cls: Any, values: Mapping[str, Any], *, prefix: str) -> list[str]:
    if not dataclasses.is_dataclass(cls):
        return []
    types = get_type_hints(cls)
    names = [field.name for field in dataclasses.fields(cls)]
    problems = []
    for name, value in values.items():
        if name not in names:
            close = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean {prefix}{close[0]}?" if close else f"; known are {', '.join(names)}"
            problems.append(f"{prefix}{name} is not a setting{hint}")
        elif isinstance(value, Mapping):
            problems += _unknown_names(types[name], value, prefix=f"{prefix}{name}.")
    return problems
