"""Write `src/aisle/pipelines/recipes/default.toml`: every setting with its default, explained by its docstring.

Run it after a default, a bound or a docstring of a setting has changed: `python tools/write_default_recipe.py`.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from aisle.pipelines.recipe import Recipe

__all__ = ["RECIPE", "default_recipe"]

RECIPE = Path(__file__).resolve().parents[1] / "src/aisle/pipelines/recipes/default.toml"

_HEADER = """\
aisle train --workspace shop --recipe default.toml && aisle index --workspace shop --recipe default.toml

Expect what both commands do without --recipe: these are the defaults. Training ends after train.max_minutes at the \
latest and prints its validation recall@100; index prints its ann_recall. Copy the file, keep the lines that you \
change, and pass it by --recipe; --set a.b=value overrides one value of it.

Written by tools/write_default_recipe.py.
"""
_WIDTH = 118


def default_recipe() -> str:
    """Return the text of the recipe file."""
    header = "\n".join(_comment(paragraph) if paragraph else "#" for paragraph in _HEADER.splitlines())
    return header + "\n" + "\n".join(_section(Recipe(), path=())) + "\n"


def _section(config: Any, *, path: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a dataclass's own values, then of the dataclasses inside it: TOML wants this order."""
    documented, hints = _docstrings(type(config)), get_type_hints(type(config))
    values = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    for name, value in values.items():
        if not dataclasses.is_dataclass(value):
            yield ""
            yield _comment(documented[name] + _choices(hints[name]))
            # TOML has no word for "not set".
            yield f"# {name} is not set (None)" if value is None else f"{name} = {_literal(value)}"
    for name, value in values.items():
        if dataclasses.is_dataclass(value):
            yield ""
            yield _comment(inspect.cleandoc(type(value).__doc__ or "").split("\n\n")[0])
            yield f"[{'.'.join((*path, name))}]"
            yield from _section(value, path=(*path, name))


def _docstrings(cls: type) -> dict[str, str]:
    """Read the strings that stand under the fields of a class."""
    [definition] = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    found = {}
    for statement, after in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            text = after.value if isinstance(after, ast.Expr) else None
            found[statement.target.id] = str(text.value) if isinstance(text, ast.Constant) else ""
    return found


def _choices(hint: Any) -> str:
    """Name the values of a setting, or of its elements, where there are only some."""
    for part, amount in ((hint, "One"), *((part, "Some") for part in get_args(hint))):
        if get_origin(part) is Literal:
            return f" {amount} of {', '.join(map(_literal, get_args(part)))}."
    return ""


def _literal(value: Any) -> str:
    # A JSON text, number, boolean or list of them is a TOML one.
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _comment(text: str) -> str:
    lines = textwrap.wrap(" ".join(text.split()), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(f"# {line}" for line in lines)


if __name__ == "__main__":
    RECIPE.parent.mkdir(exist_ok=True)
    RECIPE.write_text(default_recipe(), encoding="utf-8")
