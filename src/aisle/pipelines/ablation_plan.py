"""From the rows of an ablation to what must be trained and measured: rows that come to the same do so once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from aisle.core.config import config_to_dict
from aisle.core.errors import ConfigError
from aisle.experiments import AblationRow, Peer, Specification, System
from aisle.index import IndexConfig
from aisle.pipelines.featurising import features_key, takes_searches
from aisle.pipelines.recipe import Recipe, load_recipe
from aisle.pipelines.text_vectors import TEXT_VECTORS
from aisle.towers import LOG_CHANNELS
from aisle.workspace import Workspace, fingerprint

__all__ = ["RUNS_FOLDER", "TABLES", "Measuring", "Plan", "Run", "plan_runs", "resolved"]

RUNS_FOLDER = "ablation-runs"
"""Folder of the workspace that keeps a small workspace for every run; no artefact."""

TABLES = ("products", "users", "searches", "impressions", "events", "judgments", "simulation", "truth", "mined")
"""Artefacts of the workspace that runs read."""

_FORMAT = 1
_MEASURED_FORMAT = 2
_BEHIND_TRAINING = ("index", "encode", "lexical", "hybrid")
_KEY_LENGTH = 16

Kind = Literal["model", "lexical"] | Peer
"""What a run makes before it measures."""


@dataclass(frozen=True)
class Measuring:
    """One measuring of a run.

    Attributes:
        artefact: Name of the artefact, in the run's workspace, that keeps its values.
        system: What is measured.
        recipe: Settings, those of the index among them.
        boost: Whether a boost is looked for first.
    """

    artefact: str
    system: System
    recipe: Recipe
    boost: bool = False


@dataclass(frozen=True)
class Run:
    """One training, or one peer, with one seed; and all that is measured of it.

    Attributes:
        name: The first row that asked for it, and its seed.
        key: Hash of all that it hangs on: name of its folder.
        kind: What it makes.
        recipe: Settings of the training.
        features: Hash of the features that it reads; None: none.
        measurings: What is measured of it.
    """

    name: str
    key: str
    kind: Kind
    recipe: Recipe
    features: str | None
    measurings: tuple[Measuring, ...] = ()

    def folder(self, workspace: Path) -> Path:
        """Return its folder."""
        return workspace / RUNS_FOLDER / self.key


@dataclass(frozen=True)
class Plan:
    """All runs of an ablation.

    Attributes:
        runs: By key, in the order of the rows.
        of_row: Row → key and artefact of each seed.
        features: Hash of features → a recipe that makes them.
    """

    runs: Mapping[str, Run]
    of_row: Mapping[str, tuple[tuple[str, str], ...]]
    features: Mapping[str, Recipe]

    def seeds(self, row: str) -> int:
        """Return how many runs a row has."""
        return len(self.of_row[row])


def resolved(workspace: Workspace, base: Path | None, overrides: tuple[str, ...]) -> Recipe:
    """Return a row's recipe with what the workspace settles filled in, so that equal ones are equal.

    Raises:
        ConfigError: If a setting is unknown or does not hold, a channel has no data, or the mined log would be another.
    """
    recipe = load_recipe(base, overrides)
    by_search = takes_searches(workspace, recipe)
    towers = recipe.towers(LOG_CHANNELS if by_search else ())
    towers.part_dims()
    if not by_search and recipe.train.by_search_only:
        raise ConfigError(
            "Some settings have a meaning only where a log is learnt search by search",
            received={"problems": [f"{name} needs a mined log" for name in recipe.train.by_search_only]},
            remedy="Mine one, or leave these rows out by --rows.",
        )
    asked = [override for override in overrides if override.strip().startswith("mining.")]
    if asked:
        raise ConfigError(
            "Rows share the mined log",
            received={"problems": [f"{one} is settled by `aisle mine`" for one in asked]},
            remedy="Mine a workspace of its own for it.",
        )
    channels = {name: getattr(towers, name) for name in LOG_CHANNELS}
    return replace(recipe, text=replace(recipe.text, enabled=recipe.text.is_on), **channels)


def plan_runs(
    workspace: Workspace,
    specification: Specification,
    *,
    base: Path | None,
    seeds: int,
    measured_on: Mapping[str, Any],
) -> Plan:
    """Lay out the runs of an ablation.

    Args:
        workspace: Where the tables are.
        specification: The rows.
        base: TOML file of settings that all rows begin from.
        seeds: Seeds of what is trained; what is not random has one.
        measured_on: What values are measured on, JSON-able: other searches are other artefacts.

    Raises:
        ConfigError: If rows would serve different dimensions, or a boost has no log to be found on.
    """
    inputs = {name: workspace.manifest(name).content for name in TABLES if workspace.has(name)}
    recipes = {row.name: resolved(workspace, base, row.overrides) for row in specification.rows.values()}
    _check_boosts(workspace, specification)
    _check_dims({name: recipes[name] for name, row in specification.rows.items() if row.peer is None})
    runs: dict[str, Run] = {}
    of_row: dict[str, tuple[tuple[str, str], ...]] = {}
    features: dict[str, Recipe] = {}
    for row in specification.rows.values():
        kept = []
        for seed in range(_num_seeds(row, seeds)):
            recipe = replace(recipes[row.name], seed=seed)
            run = _run(workspace, row, recipe, inputs)
            if run.features is not None:
                features.setdefault(run.features, recipe)
            measuring = _measuring(row, recipe, measured_on)
            known = runs.setdefault(run.key, run)
            if measuring.artefact not in {one.artefact for one in known.measurings}:
                runs[run.key] = replace(known, measurings=(*known.measurings, measuring))
            kept.append((run.key, measuring.artefact))
        of_row[row.name] = tuple(kept)
    return Plan(runs, of_row, features)


def _num_seeds(row: AblationRow, seeds: int) -> int:
    return 1 if row.system == "lexical" or row.peer == "minilm" else seeds


def _run(workspace: Workspace, row: AblationRow, recipe: Recipe, inputs: Mapping[str, str]) -> Run:
    kind: Kind = row.peer or ("lexical" if row.system == "lexical" else "model")
    settings = config_to_dict(recipe)
    features = None
    if kind == "model":
        config = {
            name: value for name, value in settings.items() if name not in {*_BEHIND_TRAINING, "mining", "pretrain"}
        }
        features = _features(workspace, recipe)
    elif kind == "lexical":
        config = {"lexical": settings["lexical"]}
    else:
        config = {"peer": kind, "epochs": recipe.train.epochs, "max_minutes": recipe.train.max_minutes}
        if kind == "minilm-tuned":
            config |= {"seed": recipe.seed, "pairs": settings["pairs"]}
            features = _features(workspace, recipe)
        else:
            config = {"peer": kind}
    key = _hash({"format": _FORMAT, "kind": kind, "config": config, "inputs": inputs})
    return Run(f"{row.name}, seed {recipe.seed}", key, kind, recipe, features)


def _features(workspace: Workspace, recipe: Recipe) -> str:
    """Hash the features, and what a frozen transformer makes of them, which lies beside them."""
    texts = [recipe.train.bf16] if recipe.text.is_on and recipe.text.frozen else None
    return _hash({"features": features_key(workspace, recipe), TEXT_VECTORS: texts})


def _measuring(row: AblationRow, recipe: Recipe, measured_on: Mapping[str, Any]) -> Measuring:
    settings = config_to_dict(recipe)
    behind = {name: settings[name] for name in _BEHIND_TRAINING} if row.peer is None else {}
    system = row.system
    if system == "semantic":  # BM25 has no say in it
        behind = {name: value for name, value in behind.items() if name not in {"lexical", "hybrid"}}
    if behind:
        behind["index"] = _own_settings(behind["index"])
    values = {"format": _MEASURED_FORMAT, "system": system, "settings": behind, "measured_on": measured_on}
    mark = _hash({**values, "boost": True} if row.boost else values)
    return Measuring(f"measured-{mark}", system, recipe, row.boost)


def _own_settings(index: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of the index's own kind: those of other kinds have no say in it."""
    own = IndexConfig.section(index["kind"])
    return {name: value for name, value in index.items() if name in {"kind", own}}


def _check_boosts(workspace: Workspace, specification: Specification) -> None:
    boosted = [row.name for row in specification.rows.values() if row.boost]
    if boosted and not workspace.has("mined"):
        raise ConfigError(
            "A boost is found on the orders of a mined log",
            received={"rows": boosted, "workspace": str(workspace.path)},
            remedy="Mine one, or leave these rows out by --rows.",
        )


def _check_dims(recipes: Mapping[str, Recipe]) -> None:
    dims = {name: recipe.embedding_dim for name, recipe in recipes.items()}
    if len(set(dims.values())) > 1:
        raise ConfigError(
            "Rows must serve the same dimensions",
            received={"embedding_dim": dims},
            remedy="Give embedding_dim for all rows, by the specification's own `set` or by --set.",
        )


def _hash(values: Mapping[str, Any]) -> str:
    return fingerprint(values)[:_KEY_LENGTH]
