"""Read a vocabulary from TOML: `attributes.toml`, `wording.toml` and one file per department."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from aisle.core.errors import ConfigError, SourceError
from aisle.simulation.vocabulary import Attribute, AttributeValue, ProductType, Vocabulary, Wording
from aisle.simulation.vocabulary_checks import vocabulary_problems

__all__ = ["load_vocabulary"]

ModelT = TypeVar("ModelT", bound=BaseModel)
Phrases = tuple[str, ...]
Choice = str | tuple[str, ...]
"""Values of an attribute that a type comes in: the name of a group, or the values themselves."""


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Value(_File):
    sellers: Phrases = ()
    shoppers: Phrases = ()


class _Attribute(_File):
    place: Literal["before", "after"]
    sentences: Phrases = Field(min_length=1)
    values: dict[str, _Value] = Field(min_length=1)
    groups: dict[str, tuple[str, ...]] = {}


class _Type(_File):
    name: str
    sellers: Phrases = ()
    shoppers: Phrases
    leaf: str
    price: float = Field(gt=0)
    attributes: dict[str, Choice] = {}


class _Group(_File):
    name: str
    attributes: dict[str, Choice] = {}
    types: tuple[_Type, ...]


class _Department(_File):
    department: str
    groups: tuple[_Group, ...]


def load_vocabulary(folder: Path | None = None) -> Vocabulary:
    """Read and check a vocabulary.

    Args:
        folder: Holds `attributes.toml`, `wording.toml` and `departments/*.toml`; None for the packaged one.

    Raises:
        SourceError: If a file is missing or is not TOML.
        ConfigError: If the files break the vocabulary's rules; lists every problem at once.
    """
    root: Traversable = files("aisle.simulation") / "data" if folder is None else folder
    problems: list[str] = []
    attributes = {
        name: _parse(_Attribute, content, where=f"attributes.toml [{name}]", problems=problems)
        for name, content in _read(root / "attributes.toml").items()
    }
    wording = _parse_wording(_read(root / "wording.toml"), problems)
    departments = [
        _parse(_Department, _read(file), where=file.name, problems=problems) for file in _department_files(root)
    ]
    _refuse(problems)
    known = {name: attribute for name, attribute in attributes.items() if attribute is not None}
    types = tuple(
        _product_type(kind, group, department=department.department, known=known, problems=problems)
        for department in departments
        if department is not None
        for group in department.groups
        for kind in group.types
    )
    assert wording is not None
    vocabulary = Vocabulary(tuple(_attribute(name, known[name]) for name in known), types, wording)
    _refuse([*problems, *vocabulary_problems(vocabulary)])
    return vocabulary


def _department_files(root: Traversable) -> list[Traversable]:
    folder = root / "departments"
    if not folder.is_dir():
        raise SourceError(
            "A vocabulary must have a folder departments",
            received={"folder": str(root)},
            remedy="Put one TOML file per department there.",
        )
    return sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)


def _read(file: Traversable) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SourceError(
            "A vocabulary file must be readable TOML",
            received={"file": str(file), "problem": str(error)},
            remedy="Mend the file.",
        ) from error


def _parse(model: type[ModelT], content: object, *, where: str, problems: list[str]) -> ModelT | None:
    try:
        return model.model_validate(content)
    except ValidationError as error:
        problems.extend(_lines(where, error))
        return None


def _parse_wording(content: dict[str, Any], problems: list[str]) -> Wording | None:
    unknown = sorted(content.keys() - {field.name for field in fields(Wording)})
    problems.extend(f"wording.toml: {name}: unknown key" for name in unknown)
    try:
        return TypeAdapter(Wording).validate_python(content)
    except ValidationError as error:
        problems.extend(_lines("wording.toml", error))
        return None


def _lines(where: str, error: ValidationError) -> list[str]:
    return [f"{where}: {'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()]


def _attribute(name: str, content: _Attribute) -> Attribute:
    values = tuple(
        AttributeValue((value_name, *value.sellers), value.shoppers) for value_name, value in content.values.items()
    )
    return Attribute(name, content.place, content.sentences, values)


def _product_type(
    kind: _Type, group: _Group, *, department: str, known: Mapping[str, _Attribute], problems: list[str]
) -> ProductType:
    chosen: dict[str, tuple[str, ...]] = {}
    for name, choice in {**group.attributes, **kind.attributes}.items():
        values = _choose(known.get(name), choice)
        if values is None:
            problems.append(f"type {kind.name!r}: {name} = {choice!r} names no known attribute, group or value")
        elif values:
            chosen[name] = values
    return ProductType(
        sellers=(kind.name, *kind.sellers),
        shoppers=kind.shoppers,
        category=(department, group.name, kind.leaf),
        median_price=kind.price,
        attributes=chosen,
    )


def _choose(attribute: _Attribute | None, choice: Choice) -> tuple[str, ...] | None:
    """Resolve a choice to value names; None where it names something unknown, empty where the type drops it."""
    if attribute is None:
        return None
    values = attribute.groups.get(choice) if isinstance(choice, str) else choice
    if values is None or any(value not in attribute.values for value in values):
        return None
    return tuple(dict.fromkeys(values))


def _refuse(problems: list[str]) -> None:
    if problems:
        raise ConfigError(
            "A vocabulary must keep its rules", received={"problems": problems}, remedy="Mend the TOML files."
        )
