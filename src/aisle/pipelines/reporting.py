"""From the artefacts of a workspace to one page that tells of them; nothing is computed again but the examples."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq

from aisle import __version__
from aisle.core.config import config_from_dict
from aisle.core.errors import AisleError, UsageError
from aisle.pipelines.abtesting import (
    LIVE_CONVERSION_LIFT,
    LIVE_PURCHASE_LIFT,
    read_results,
    system_hash,
)
from aisle.pipelines.importing import IMPORT_ORDER
from aisle.pipelines.kept_outcomes import COMPARISONS, EVALUATIONS, KeptOutcome, read_outcomes
from aisle.pipelines.report_examples import example_labels, example_searches
from aisle.pipelines.searching import SYSTEMS
from aisle.reporting import Trained
from aisle.reporting.report import (
    LiveLifts,
    Made,
    Section,
    TableRows,
    ablation_section,
    abtest_section,
    boost_section,
    comparison_section,
    data_section,
    debiased_section,
    evaluation_section,
    examples_section,
    index_section,
    model_section,
    report_page,
    tuning_section,
)
from aisle.towers import TowerConfig
from aisle.training import TrainConfig, TrainingResult
from aisle.workspace import QUARANTINE, Manifest, Workspace, fingerprint

__all__ = ["ReportOutcome", "write_report"]

_LIVE = LiveLifts(LIVE_PURCHASE_LIFT, LIVE_CONVERSION_LIFT, "Etsy: Jha et al. 2023")
_PAGE = "report.html"
_GENERATED = ("generated", "simulated")
"""Sources of a catalogue that `aisle demo` and `aisle simulate` make."""


@dataclass(frozen=True)
class ReportOutcome:
    """What was written.

    Attributes:
        path: The file.
        num_bytes: Its size.
        shown: Titles of the sections that it holds, by key.
        missing: Key of each section that is missing → the command that makes it.
        changed: Artefact → what it was made from that is another one by now.
    """

    path: Path
    num_bytes: int
    shown: dict[str, str]
    missing: dict[str, str]
    changed: dict[str, list[str]]

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {**vars(self), "path": str(self.path)}


def write_report(workspace: Workspace, *, out: Path | None = None, examples: int = 2) -> ReportOutcome:
    """Write the report of a workspace.

    Args:
        workspace: What is told of.
        out: The file; None for `report.html` in the workspace.
        examples: Most example searches of each band; 0 for none.

    Raises:
        UsageError: If the file cannot be written.
        WorkspaceError: If an artefact is damaged.
    """
    sections = [
        _data(workspace),
        _model(workspace),
        *_evaluations(workspace),
        _comparison(workspace),
        _ablation(workspace),
        _abtest(workspace),
        _boost(workspace),
        _index(workspace),
        _tuning(workspace),
        _examples(workspace, per_band=examples),
    ]
    page = report_page(
        workspace.path.resolve().name,
        sections,
        written_at=datetime.now(UTC).isoformat(timespec="seconds"),
        version=__version__,
        is_simulated=_is_simulated(workspace),
    )
    path = out or workspace.path / _PAGE
    content = page.encode()
    _write(path, content)
    return ReportOutcome(
        path=path,
        num_bytes=len(content),
        shown={one.key: one.title for one in sections if not one.missing},
        missing={one.key: one.command for one in sections if one.missing},
        changed={made.artefact: list(made.changed) for one in sections for made in one.made if made.changed},
    )


def _is_simulated(workspace: Workspace) -> bool:
    """Tell whether the shop is a simulated marketplace, or its catalogue is a generated one."""
    if workspace.has("simulation") or not workspace.has("products"):
        return workspace.has("simulation")
    provenance = workspace.manifest("products").config.get("provenance", {})
    return provenance.get("source") in _GENERATED


def _write(path: Path, content: bytes) -> None:
    """Write the file whole: a reader never meets half a page."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise UsageError(
            "The report's file must be writable",
            received={"out": str(path), "problem": str(error)},
            remedy="Name another file with --out.",
        ) from error


def _made(
    workspace: Workspace, manifest: Manifest, *, command: str, artefact: str, now: Mapping[str, str] | None = None
) -> Made:
    """Tell how an artefact came to be, and whether what it was made from is still the same.

    Args:
        workspace: The workspace.
        manifest: The artefact's.
        command: What made it.
        artefact: Its folder.
        now: Present hashes of inputs that are no artefacts of the workspace.
    """
    present = {name: workspace.manifest(name).content for name in manifest.inputs if workspace.has(name)}
    present |= now or {}
    changed = tuple(name for name, content in present.items() if manifest.inputs.get(name) != content)
    return Made(
        command=command,
        artefact=f"{artefact}/",
        created_at=manifest.created_at,
        seed=manifest.seed,
        data_hash=fingerprint(manifest.inputs) if manifest.inputs else "",
        version=manifest.versions.get("aisle", "unknown"),
        changed=changed,
    )


def _data(workspace: Workspace) -> Section:
    names = [name for name in IMPORT_ORDER if workspace.has(name)]
    tables = [_rows(workspace, name) for name in names]
    made: list[Made] = []
    source = "simulation" if workspace.has("simulation") else next(iter(names), None)
    if source is not None:
        command = "aisle simulate" if source == "simulation" else "aisle import"
        made.append(_made(workspace, workspace.manifest(source), command=command, artefact=source))
    mined = None
    if workspace.has("mined"):
        mined = workspace.manifest("mined").summary
        made.append(_made(workspace, workspace.manifest("mined"), command="aisle mine", artefact="mined"))
    return data_section(tables, mined, made=made, has_log="searches" in names)


def _rows(workspace: Workspace, name: str) -> TableRows:
    folder = workspace.folder(name)
    counts = {True: 0, False: 0}
    for file in workspace.manifest(name).files:
        if file.endswith(".parquet"):
            counts[file.startswith(QUARANTINE)] += pq.read_metadata(folder / file).num_rows
    return TableRows(name, counts[False], counts[True])


def _model(workspace: Workspace) -> Section:
    if not workspace.has("model"):
        return model_section(None, made=())
    made = [_made(workspace, workspace.manifest("model"), command="aisle train", artefact="model")]
    try:
        trained = _trained(workspace)
    except (AisleError, KeyError, TypeError) as error:
        return model_section(None, made=made, problem=f"The model is of another version of Aisle: {error}.")
    return model_section(trained, made=made)


def _trained(workspace: Workspace) -> Trained:
    manifest, folder = workspace.manifest("model"), workspace.verified("model")
    features = workspace.manifest("features").summary if workspace.has("features") else {}
    products = features.get("products", workspace.manifest("products").summary.get("rows", 0))
    learnt_from = {**features, "products": products, **manifest.summary}
    has_log = "logged_pairs" in learnt_from and workspace.has("mined")
    return Trained(
        towers=config_from_dict(TowerConfig, manifest.config["towers"]),
        train=config_from_dict(TrainConfig, manifest.config["train"]),
        result=TrainingResult(**json.loads((folder / "training.json").read_text(encoding="utf-8"))),
        seed=manifest.seed,
        parameters=manifest.summary["parameters"],
        learnt_from=learnt_from,
        log=workspace.manifest("mined").summary if has_log else None,
        data_hash=manifest.inputs["features"],
    )


def _evaluations(workspace: Workspace) -> list[Section]:
    """Return what the systems find, and debiased recall where it was asked for."""
    kept = read_outcomes(workspace, EVALUATIONS)
    values = [{"split": one.manifest.config["split"], **one.values} for one in kept]
    made = _kept(workspace, kept, command="aisle evaluate", folder=EVALUATIONS)
    sections = [evaluation_section(values, made=made), debiased_section(values, made=made)]
    return [one for one in sections if one is not None]


def _comparison(workspace: Workspace) -> Section:
    kept = read_outcomes(workspace, COMPARISONS)
    made = _kept(workspace, kept, command="aisle compare", folder=COMPARISONS)
    return comparison_section([one.values for one in kept], made=made)


def _kept(workspace: Workspace, outcomes: Iterable[KeptOutcome], *, command: str, folder: str) -> list[Made]:
    return [_made(workspace, one.manifest, command=command, artefact=f"{folder}/{one.name}") for one in outcomes]


def _ablation(workspace: Workspace) -> Section:
    if not workspace.has("ablation"):
        return ablation_section(None, (), made=())
    folder = workspace.verified("ablation")
    values, tables = (
        json.loads((folder / name).read_text(encoding="utf-8")) for name in ("ablation.json", "tables.json")
    )
    made = _made(workspace, workspace.manifest("ablation"), command="aisle ablate", artefact="ablation")
    return ablation_section(values, tables, made=[made])


def _abtest(workspace: Workspace) -> Section:
    results = read_results(workspace)
    made = [
        _made(
            workspace,
            manifest,
            command=f"aisle abtest {manifest.config['a']} {manifest.config['b']}",
            artefact=f"abtest/{manifest.step}",
            now=_present_systems(workspace, manifest),
        )
        for manifest, _ in results
    ]
    return abtest_section([values for _, values in results], live=_LIVE, made=made)


def _present_systems(workspace: Workspace, manifest: Manifest) -> dict[str, str]:
    """Return the present hashes of the sides that are systems of this workspace."""
    if not (workspace.has("index") and workspace.has("model")):
        return {}
    sides = [side for side in "ab" if side in manifest.inputs and manifest.config[side] in SYSTEMS]
    return {side: system_hash(workspace, manifest.config[side]) for side in sides}


def _index(workspace: Workspace) -> Section:
    if not workspace.has("index"):
        return index_section(None, made=())
    manifest = workspace.manifest("index")
    return index_section(manifest.summary, made=[_made(workspace, manifest, command="aisle index", artefact="index")])


def _boost(workspace: Workspace) -> Section:
    if not workspace.has("boost"):
        return boost_section(None, made=())
    manifest = workspace.manifest("boost")
    return boost_section(manifest.summary, made=[_made(workspace, manifest, command="aisle boost", artefact="boost")])


def _tuning(workspace: Workspace) -> Section:
    if not workspace.has("tuning"):
        return tuning_section(None, made=())
    values = json.loads((workspace.verified("tuning") / "tuning.json").read_text(encoding="utf-8"))
    made = _made(workspace, workspace.manifest("tuning"), command="aisle tune", artefact="tuning")
    return tuning_section(values, made=[made])


def _examples(workspace: Workspace, *, per_band: int) -> Section:
    labels = example_labels(workspace)
    is_simulated = _is_simulated(workspace)
    if labels is None:
        problem = "There is no test query: no log was mined, and no test judgments were imported."
        return examples_section(
            (), labelled="", made=(), is_simulated=is_simulated, problem=problem, command="aisle mine"
        )
    if not per_band:
        return examples_section((), labelled="", made=(), is_simulated=is_simulated)
    try:
        found, labelled = example_searches(workspace, labels, per_band=per_band)
    except AisleError as error:
        return examples_section((), labelled="", made=(), is_simulated=is_simulated, problem=f"{error}")
    made = [_made(workspace, workspace.manifest("index"), command="aisle index", artefact="index")]
    return examples_section(found, labelled=labelled, made=made, is_simulated=is_simulated)
