"""Outcomes of measurements that are kept for the report: small JSON files with a manifest, as artefacts of their own.

They lie in a workspace within the workspace, one folder for each kind, as A/B tests do: the last one of a name is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from aisle.pipelines.comparing import CompareOutcome
from aisle.pipelines.evaluating import EvaluationOutcome
from aisle.pipelines.questions import Asked
from aisle.workspace import Manifest, Workspace, fingerprint

__all__ = ["COMPARISONS", "EVALUATIONS", "KeptOutcome", "keep_comparison", "keep_evaluation", "read_outcomes"]

EVALUATIONS = "evaluation"
"""Folder of what `aisle evaluate` came to, one artefact for each kind of labels and split."""
COMPARISONS = "comparison"
"""Folder of what `aisle compare` came to, one artefact for each pair, kind of labels and split."""

_READ = ("products", "users", "judgments", "mined", "truth", "model", "index", "boost")
_FILE = "outcome.json"
_PLAIN = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True)
class KeptOutcome:
    """An outcome as it was kept.

    Attributes:
        name: Name within its folder.
        manifest: How it came to be.
        values: What came out, as plain JSON values.
    """

    name: str
    manifest: Manifest
    values: Mapping[str, Any]


def keep_evaluation(
    workspace: Workspace, outcome: EvaluationOutcome, *, settings: Mapping[str, Any], seed: int = 0
) -> Path:
    """Keep an evaluation in place of the last one of the same labels and split; return where it lies.

    Args:
        workspace: What was measured.
        outcome: What came out.
        settings: With `split`, and all else that the outcome does not tell itself.
        seed: Seed of what was measured.

    Raises:
        WorkspaceError: If the workspace cannot be written to, or another process keeps an outcome.
    """
    values = outcome.as_dict()
    del values["files"]  # written for the caller, perhaps of a command that is long forgotten
    measures = list(outcome.evaluation.measures)
    config = {
        **settings,
        "measures": measures,
        "systems": list(outcome.evaluation.values),
        "labels": outcome.labels,
        "min_grade": outcome.evaluation.min_grade,
        "debiased": outcome.debiased is not None,
    }
    name = f"{outcome.labels}-{settings['split']}"
    return _keep(workspace, EVALUATIONS, name, {**values, "measures": measures}, config=config, seed=seed)


def keep_comparison(workspace: Workspace, outcome: CompareOutcome, *, asked: Asked, num_changes: int) -> Path:
    """Keep a comparison in place of the last one of the same systems, labels and split; return where it lies.

    Args:
        workspace: What was measured.
        outcome: What came out.
        asked: Which queries.
        num_changes: Most wins and most losses that are told.

    Raises:
        WorkspaceError: If the workspace cannot be written to, or another process keeps an outcome.
    """
    values = {**outcome.as_dict(), "split": asked.split}
    # A run file may change under its name: what came of it says which one it was.
    told = fingerprint({"outcome": orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY).decode()})
    config = {**asdict(asked), "first": outcome.first, "second": outcome.second, "num_changes": num_changes}
    name = "-".join((_told(outcome.first), "vs", _told(outcome.second), outcome.labels, asked.split))
    return _keep(workspace, COMPARISONS, name, values, config={**config, "outcome": told}, seed=asked.seed)


def read_outcomes(workspace: Workspace, folder: str) -> list[KeptOutcome]:
    """Read what was kept in a folder, by name, its files checked first.

    Raises:
        WorkspaceError: If a file is not as written.
    """
    if not (workspace.path / folder).exists():
        return []
    kept = Workspace.open(workspace.path / folder)
    return [
        KeptOutcome(name, kept.manifest(name), json.loads((kept.verified(name) / _FILE).read_text(encoding="utf-8")))
        for name in kept.names()
    ]


def _keep(
    workspace: Workspace, folder: str, name: str, values: Mapping[str, Any], *, config: Mapping[str, Any], seed: int
) -> Path:
    inputs = {one: workspace.manifest(one).content for one in _READ if workspace.has(one)}

    def build(partial: Path) -> None:
        (partial / _FILE).write_bytes(orjson.dumps(values, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_INDENT_2))

    kept = Workspace.open(workspace.path / folder, create=True)
    kept.run_step(name, build, inputs=inputs, config=config, seed=seed)
    return kept.folder(name)


def _told(system: str) -> str:
    """Return a name that can be a folder's; of a path the last part and a hash of the whole."""
    if not _PLAIN.search(system):
        return system
    last = _PLAIN.sub("_", system.rpartition("/")[2])
    return f"{last}-{fingerprint({'system': system})[:8]}"
