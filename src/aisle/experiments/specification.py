"""What an ablation compares: rows that differ by settings, read from a TOML file with all its problems at once."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from aisle.core.config import read_toml
from aisle.core.errors import ConfigError, UsageError

__all__ = ["READY_SPECIFICATION", "AblationRow", "Peer", "Specification", "System", "read_specification"]

System = Literal["semantic", "lexical", "hybrid"]
"""What of a trained model is measured."""

Peer = Literal["minilm", "minilm-tuned"]
"""Systems of others: all-MiniLM-L6-v2 as it is, and fine-tuned on the same positives."""

READY_SPECIFICATION = Path(__file__).parent / "data" / "ablation.toml"
"""Rows that mirror what the papers of Etsy and JD claim."""

_TOP = ("set", "baseline", "rows")
_ROW = ("set", "system", "peer", "same_as", "baseline", "boost")


@dataclass(frozen=True)
class AblationRow:
    """One line of the table.

    Attributes:
        name: As it is printed.
        overrides: Settings `a.b=value` by which it differs from the defaults, those of the whole specification first.
        system: What is measured of it.
        peer: The system of others that it is; None: a model of our own.
        baseline: The row that it is compared with; None for that of the specification itself.
        boost: Whether a boost by quality is looked for, and measured where it is kept.
    """

    name: str
    overrides: tuple[str, ...] = ()
    system: System = "semantic"
    peer: Peer | None = None
    baseline: str | None = None
    boost: bool = False


@dataclass(frozen=True)
class Specification:
    """The rows of an ablation, in the order of the table.

    Attributes:
        baseline: Name of the row that others are compared with where they name none.
        rows: By name.
    """

    baseline: str
    rows: Mapping[str, AblationRow] = field(default_factory=dict)

    def chosen(self, names: Sequence[str] | None) -> Specification:
        """Keep some rows, with the baselines that they need; None: all.

        Raises:
            UsageError: If a name is unknown.
        """
        if names is None:
            return self
        unknown = [name for name in names if name not in self.rows]
        if unknown or not names:
            raise UsageError(
                "Rows must be among those of the specification",
                received={"rows": unknown or list(names), "known": list(self.rows)},
                remedy="Name them as a list with commas.",
            )
        needed = {self.baseline, *names}
        # A baseline may itself be compared with another.
        for _ in self.rows:
            needed |= {baseline for name in needed if (baseline := self.rows[name].baseline) is not None}
        return replace(self, rows={name: row for name, row in self.rows.items() if name in needed})


def read_specification(
    path: Path,
    *,
    overrides: tuple[str, ...] = (),
    names: Sequence[str] | None = None,
    check: Callable[[tuple[str, ...]], object],
) -> Specification:
    """Read and check a specification; nothing is trained before it holds.

    Args:
        path: The TOML file.
        overrides: Settings `a.b=value` of every row, after those of the file and before a row's own.
        names: Rows to keep, with the baselines that they need; None: all.
        check: Called with the settings of each row that is kept; raises `ConfigError` where they do not hold.

    Raises:
        ConfigError: With every unknown key, row and setting.
        UsageError: If a name is unknown.
    """
    values = read_toml(path)
    problems = [_unknown(name, _TOP) for name in values if name not in _TOP]
    tables, shared = values.get("rows"), values.get("set", [])
    if not isinstance(tables, Mapping) or not tables or not all(isinstance(one, Mapping) for one in tables.values()):
        raise _refused(path, [*problems, 'there must be a table of settings for each row, such as [rows."unified"]'])
    baseline = str(values.get("baseline", next(iter(tables))))
    if baseline not in tables:
        problems.append(f"baseline {baseline!r} is no row")
    if not _is_texts(shared):
        problems.append("set must be a list of texts of the form a.b=value")
        shared = []
    problems += [f"rows.{name}: {problem}" for name in tables for problem in _row_problems(tables, name)]
    if problems:
        raise _refused(path, problems)
    rows = {name: _row(tables, name, (*shared, *overrides), baseline=baseline) for name in tables}
    specification = Specification(baseline, rows).chosen(names)
    problems = [problem for row in specification.rows.values() for problem in _setting_problems(row, check)]
    if problems:
        raise _refused(path, problems)
    return specification


def _row_problems(tables: Mapping[str, Any], name: str) -> list[str]:
    row = tables[name]
    problems = [_unknown(key, _ROW) for key in row if key not in _ROW]
    choices = {"system": get_args(System), "peer": get_args(Peer), "same_as": tuple(tables), "baseline": tuple(tables)}
    problems += [
        f"{key} must be one of {', '.join(known)} (received {row[key]!r})"
        for key, known in choices.items()
        if key in row and row[key] not in known
    ]
    if not _is_texts(row.get("set", [])):
        problems.append("set must be a list of texts of the form a.b=value")
    if "peer" in row and {"set", "system", "same_as", "boost"} & set(row):
        problems.append("a peer is not set by our settings: it takes no set, system, same_as or boost")
    if not isinstance(row.get("boost", False), bool):
        problems.append(f"boost must be true or false (received {row['boost']!r})")
    if row.get("boost") and row.get("system") == "lexical":
        problems.append("a boost lies in the vectors: system must be semantic or hybrid")
    if name in (row.get("same_as"), row.get("baseline")):
        problems.append("a row cannot be same_as or baseline of itself")
    if "same_as" in tables.get(row.get("same_as"), {}):
        problems.append(f"same_as must name a row with settings of its own (received {row['same_as']!r})")
    return problems


def _row(tables: Mapping[str, Any], name: str, shared: tuple[str, ...], *, baseline: str) -> AblationRow:
    row = tables[name]
    # `same_as` takes the settings of another row: the two train once, and differ in what is measured or compared.
    source = tables[row["same_as"]] if "same_as" in row else row
    own = (*source.get("set", ()), *(row.get("set", ()) if source is not row else ()))
    compared = None if name == baseline else str(row.get("baseline", baseline))
    system, peer = row.get("system", "semantic"), row.get("peer")
    return AblationRow(name, (*shared, *own), system, peer, compared, boost=row.get("boost", False))


def _setting_problems(row: AblationRow, check: Callable[[tuple[str, ...]], object]) -> list[str]:
    try:
        check(row.overrides)
    except ConfigError as error:
        found = error.received.get("problems")
        problems = found if isinstance(found, list) else [str(error)]
        return [f"rows.{row.name}: {problem}" for problem in problems]
    return []


def _is_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _unknown(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return f"{name} is not a key; {hint}"


def _refused(path: Path, problems: list[str]) -> ConfigError:
    return ConfigError(
        "An ablation's specification must hold before anything is trained",
        received={"path": str(path), "problems": problems},
        remedy="Mend these rows and run again; what was trained before is kept.",
    )
