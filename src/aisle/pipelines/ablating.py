"""The ablation: rows of a specification trained with several seeds, measured and laid side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from aisle.core.errors import UsageError
from aisle.core.progress import progress_bar
from aisle.encoders.config import OWN
from aisle.experiments import (
    READY_SPECIFICATION,
    PlainTable,
    RowRuns,
    Specification,
    ablation_columns,
    ablation_rows,
    ablation_tables,
    check_peers,
    compare_rows,
    hold_against,
    published_claims,
    read_specification,
)
from aisle.pipelines.ablation_plan import RUNS_FOLDER, TABLES, Plan, Run, plan_runs, resolved
from aisle.pipelines.ablation_runs import RunTask, clear_run, is_done, make_run, read_values
from aisle.pipelines.ablation_shared import FeaturesTask, clear_shared, make_features, make_texts, texts_of
from aisle.pipelines.checkpoints import PRETRAINED
from aisle.pipelines.measured_sets import MeasuredOn, available_labels, measured_sets
from aisle.pipelines.pretraining import pretrain
from aisle.pipelines.processes import Task, run_side_by_side
from aisle.pipelines.questions import MAX_SEARCHES, Labels, Questions
from aisle.tables import write_parquet
from aisle.workspace import Workspace

__all__ = ["AblationOutcome", "AblationSettings", "ablate"]

_ARTEFACT = "ablation"
_FORMAT = 1
_QUICK = ("train.epochs=1", "train.min_steps=100", "train.max_minutes=1", "pretrain.max_steps=50")
_QUICK_SEARCHES = 2_000
_TESTS_SEED = 0


@dataclass(frozen=True)
class AblationSettings:
    """How an ablation is run.

    Attributes:
        specification: TOML file of the rows.
        recipe: TOML file of settings that all rows begin from.
        overrides: Settings of all rows, over those of the file.
        rows: Rows to run, beside the baselines that they need; None: all.
        seeds: Seeds of what is trained.
        labels: What the headline measures; None: truth where there is one, else the log, else judgments.
        max_searches: Most searches of a log.
        min_grade: Least grade of what is to be found, of judgments.
        jobs: Runs at a time.
        quick: One seed, one epoch, few searches: only to see that everything works.
        keep_models: Whether models and indexes are kept.
    """

    specification: Path = READY_SPECIFICATION
    recipe: Path | None = None
    overrides: tuple[str, ...] = ()
    rows: Sequence[str] | None = None
    seeds: int = 3
    labels: Labels | None = None
    max_searches: int = MAX_SEARCHES
    min_grade: float = 1.0
    jobs: int = 2
    quick: bool = False
    keep_models: bool = False


@dataclass(frozen=True)
class AblationOutcome:
    """The table of an ablation.

    Attributes:
        values: JSON-able: `rows`, `claims`, and what they were measured on.
        tables: The same for people.
        skipped: Whether all of it was there already.
    """

    values: Mapping[str, Any]
    tables: Sequence[PlainTable]
    skipped: bool


def ablate(workspace: Workspace, settings: AblationSettings) -> AblationOutcome:
    """Train and measure each row with each seed, as far as that was not done, and compare them.

    A run is known by the hash of its resolved settings, its seed and the tables: a killed ablation goes on, a changed
    row alone is trained anew, and rows of equal settings are trained once. The table is the artefact `ablation`.

    Raises:
        ConfigError: If the specification does not hold: with all its problems, before anything is trained.
        UsageError: If there is nothing to measure on, a row is unknown, or peers are not installed.
    """
    measured_on = _measured_on(workspace, settings)
    overrides = (*settings.overrides, *(_QUICK if settings.quick else ()))
    specification = read_specification(
        settings.specification,
        overrides=overrides,
        names=settings.rows,
        check=lambda one: resolved(workspace, settings.recipe, one),
    )
    if any(row.peer is not None for row in specification.rows.values()):
        check_peers()
    seeds = 1 if settings.quick else settings.seeds
    # Read before anything is trained: what cannot be measured is refused now.
    sets = measured_sets(workspace, measured_on)
    _pretrain_where_asked(workspace, specification, base=settings.recipe)
    plan = plan_runs(workspace, specification, base=settings.recipe, seeds=seeds, measured_on=asdict(measured_on))
    _make(workspace, plan, settings, measured_on)
    return _compared(workspace, specification, plan, sets, told={"seeds": seeds, "overrides": list(overrides)})


def _measured_on(workspace: Workspace, settings: AblationSettings) -> MeasuredOn:
    """Return all that can be measured on, that of the headline first."""
    available = available_labels(workspace)
    headline = settings.labels or available[0]
    if headline not in available:
        raise UsageError(
            f"This workspace can be measured on {', '.join(available)}",
            received={"labels": headline},
            remedy="Leave --labels out, or import or mine what it needs.",
        )
    labels = (headline, *(one for one in available if one != headline))
    max_searches = min(settings.max_searches, _QUICK_SEARCHES) if settings.quick else settings.max_searches
    return MeasuredOn(labels, max_searches, settings.min_grade)


def _pretrain_where_asked(workspace: Workspace, specification: Specification, *, base: Path | None) -> None:
    """Pre-train the shop's own text encoder, where a row begins from it and there is none: all seeds share one."""
    recipes = [resolved(workspace, base, row.overrides) for row in specification.rows.values()]
    asked = [recipe for recipe in recipes if recipe.text.init == OWN]
    if asked and not workspace.has(PRETRAINED):
        pretrain(workspace, asked[0])


def _make(workspace: Workspace, plan: Plan, settings: AblationSettings, measured_on: MeasuredOn) -> None:
    shop = workspace.path
    pending = [run for run in plan.runs.values() if not is_done(shop, run)]
    logs = shop / RUNS_FOLDER / "logs"
    _make_shared(workspace, plan, pending, jobs=settings.jobs)
    tasks = [
        Task(run.name, RunTask(shop, run, measured_on, settings.keep_models), logs / f"{run.key}.log")
        for run in pending
    ]
    with progress_bar("Rows and seeds", total=len(tasks), unit="runs") as advance:
        run_side_by_side(make_run, tasks, jobs=settings.jobs, done=lambda task: advance(1, task.name))
    if not settings.keep_models:
        for run in plan.runs.values():
            clear_run(run.folder(shop))
        clear_shared([FeaturesTask(shop, key, recipe) for key, recipe in plan.features.items()])


def _make_shared(workspace: Workspace, plan: Plan, pending: Sequence[Run], *, jobs: int) -> None:
    """Make what the pending runs share: features, and behind them the vectors of their texts."""
    shop, logs = workspace.path, workspace.path / RUNS_FOLDER / "logs"
    needed = {run.features for run in pending if run.features is not None}
    features = [FeaturesTask(shop, key, recipe) for key, recipe in plan.features.items() if key in needed]
    tasks = [Task(f"features {one.key}", one, logs / f"{one.folder.name}.log") for one in features]
    with progress_bar("Features", total=len(tasks), unit="sets") as advance:
        run_side_by_side(make_features, tasks, jobs=jobs, done=lambda _: advance(1))
    texts = [Task(f"texts {one.key}", one, logs / f"{one.folder.name}.log") for one in texts_of(features)]
    with progress_bar("Texts", total=len(texts), unit="sets") as advance:
        # One set of texts, the usual case, is encoded by this process with all of its threads.
        run_side_by_side(make_texts, texts, jobs=min(jobs, max(len(texts), 1)), done=lambda _: advance(1))


def _compared(
    workspace: Workspace,
    specification: Specification,
    plan: Plan,
    sets: Mapping[Labels, Questions],
    *,
    told: Mapping[str, Any],
) -> AblationOutcome:
    labels, headline = next(iter(sets.items()))
    simulated = workspace.has("truth")
    words: dict[str, str] = {name: f"{one.labelled}{' (simulated)' if simulated else ''}" for name, one in sets.items()}
    heading = {
        "simulated": simulated,
        "labels": labels,
        "labelled": words[labels],
        "beside": {name: told for name, told in words.items() if name != labels},
        "searches": int(headline.is_counted.sum()),
        "baseline": specification.baseline,
        "cpu_minutes": _cpu_minutes(workspace, plan),
        **told,
    }

    def build(folder: Path) -> None:
        rows = [_runs(workspace, specification, plan, name) for name in specification.rows]
        found = compare_rows(rows, {name: one.slices for name, one in sets.items()}, seed=_TESTS_SEED)
        held = hold_against(published_claims(), found, labels=labels)
        values = {**heading, "rows": ablation_rows(found, labels=labels), "claims": [one.as_dict() for one in held]}
        tables = ablation_tables(found, held, told=words)
        write_parquet(pa.table(ablation_columns(found)), folder / "ablation.parquet")
        (folder / "ablation.json").write_text(json.dumps(values, indent=1), encoding="utf-8")
        (folder / "tables.json").write_text(json.dumps([asdict(table) for table in tables]), encoding="utf-8")
        (folder / "ablation.md").write_text("\n".join(_markdown(heading, tables)), encoding="utf-8")

    rows = {name: [list(one) for one in plan.of_row[name]] for name in specification.rows}
    config = {
        "format": _FORMAT,
        "rows": rows,
        "baselines": {name: row.baseline for name, row in specification.rows.items()},
        "claims": [vars(claim) for claim in published_claims()],
        **heading,
    }
    inputs = [name for name in TABLES if workspace.has(name)]
    result = workspace.run_step(_ARTEFACT, build, inputs=inputs, config=config)
    folder = workspace.verified(_ARTEFACT)
    values = json.loads((folder / "ablation.json").read_text(encoding="utf-8"))
    tables = json.loads((folder / "tables.json").read_text(encoding="utf-8"))
    return AblationOutcome(values, [PlainTable.of_json(table) for table in tables], result.skipped)


def _runs(workspace: Workspace, specification: Specification, plan: Plan, name: str) -> RowRuns:
    """Read what was measured of a row, with the figures of its trainings."""
    row, runs = specification.rows[name], plan.of_row[name]
    values, figures = zip(*(read_values(workspace.path, *run) for run in runs), strict=True)
    is_baseline = row.baseline is not None and plan.of_row[row.baseline] == runs
    return RowRuns(name, values, row.baseline, is_baseline, tuple(one for one in figures if one))


def _cpu_minutes(workspace: Workspace, plan: Plan) -> float:
    """Return what all runs computed, each once: half of it is about the time that two free cores take for them."""
    measured = {run for runs in plan.of_row.values() for run in runs}
    return sum(float(read_values(workspace.path, *run)[1]["cpu_minutes"]) for run in sorted(measured))


def _markdown(heading: Mapping[str, Any], tables: Sequence[PlainTable]) -> list[str]:
    seeds = f"{heading['seeds']} seed{'s' if heading['seeds'] != 1 else ''}"
    told = f"{heading['searches']:,} test searches with {heading['labelled']}; {seeds} of what is trained."
    lines = ["# What each ingredient earns", "", told, ""]
    return [*lines, *(line for table in tables for line in (*table.markdown(), ""))]
