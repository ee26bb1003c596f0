"""Which settings of an index are the fastest that still find what is there."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, Protocol, cast, get_args, get_type_hints, runtime_checkable

import numpy as np
from jaxtyping import Float32

from aisle.core.errors import UsageError
from aisle.core.progress import Advance
from aisle.core.rng import stream_seed
from aisle.index.build import IndexConfig, make_index
from aisle.index.exact import ExactIndex
from aisle.index.protocol import VectorIndex
from aisle.index.recall import ann_recall
from aisle.index.threads import faiss_threads
from aisle.index.tried import tried_values

if TYPE_CHECKING:
    from optuna import Trial

__all__ = ["Point", "choose_point", "pareto_front", "queries_per_second", "try_settings"]

_ROUNDS = 5
_SEED_MODULUS = 2**31

Settings = tuple[tuple[str, Any], ...]
"""Names of settings with their values, in one order, so that equal ones can be told."""

Spaces = dict[str, dict[str, tuple[Any, ...]]]
"""Kind → setting of building → the values that are tried."""


@dataclass(frozen=True)
class Point:
    """What some settings come to.

    Attributes:
        kind: Kind of the index.
        settings: Its settings that were tried.
        ann_recall: Share of the exact top k that it finds.
        queries_s: Queries a second by one thread, all of a batch in one call.
        bytes_per_product: Memory per product.
        build_s: Seconds of building, by all threads; shared by points that differ in searching alone.
    """

    kind: str
    settings: dict[str, Any]
    ann_recall: float
    queries_s: float
    bytes_per_product: float
    build_s: float

    def config(self, base: IndexConfig) -> IndexConfig:
        """Return a config with these settings; what was not tried stays as it was."""
        section, kind = IndexConfig.section(self.kind), cast(Any, self.kind)
        if not self.settings:
            return replace(base, kind=kind)
        changed: dict[str, Any] = {section: replace(getattr(base, section), **self.settings)}
        return replace(base, kind=kind, **changed)

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


@runtime_checkable
class _Retunable(Protocol):
    def with_search(self, **settings: Any) -> VectorIndex: ...


def pareto_front(points: Sequence[Point]) -> list[Point]:
    """Return the points that no other beats or equals in speed, recall and memory alike; the fastest first."""
    values = [(point.queries_s, point.ann_recall, -point.bytes_per_product) for point in points]
    front = [
        point
        for point, own in zip(points, values, strict=True)
        if not any(other != own and all(a >= b for a, b in zip(other, own, strict=True)) for other in values)
    ]
    return sorted(front, key=lambda point: -point.queries_s)


def choose_point(points: Sequence[Point], *, least_recall: float) -> Point:
    """Return the fastest point that keeps the recall; of equally fast ones the smaller.

    Raises:
        UsageError: If none does.
    """
    kept = [point for point in points if point.ann_recall >= least_recall]
    if not kept:
        best = max(points, key=lambda point: point.ann_recall, default=None)
        raise UsageError(
            "Some settings of the index must keep the recall that is asked for",
            received={
                "ann_recall": least_recall,
                "best": round(best.ann_recall, 4) if best else None,
                "with": best.settings if best else None,
                "tried": len(points),
            },
            remedy="Ask for less with --ann-recall, try more with --trials, or build an exact index "
            "(`aisle index --set index.kind=exact`).",
        )
    return max(kept, key=lambda point: (point.queries_s, -point.bytes_per_product))


def queries_per_second(index: VectorIndex, queries: Float32[np.ndarray, "queries dim"], *, k: int) -> float:
    """Measure one thread: the median of some rounds over all queries, after one that warms up."""
    rounds = []
    with faiss_threads(1):
        index.search(queries, k=k)
        for _ in range(_ROUNDS):
            started = time.perf_counter()
            index.search(queries, k=k)
            rounds.append(time.perf_counter() - started)
    return len(queries) / max(float(np.median(rounds)), 1e-9)


def try_settings(
    vectors: Float32[np.ndarray, "products dim"],
    queries: Float32[np.ndarray, "queries dim"],
    *,
    base: IndexConfig,
    least_recall: float,
    trials: int,
    k: int,
    seed: int,
    advance: Advance,
) -> list[Point]:
    """Build indexes with settings that Optuna chooses, and measure each with all its settings of searching.

    Where there are no more combinations than trials, each is built once; else every kind is built as `base` has it, and
    Optuna's estimator goes on from there for the fastest that keeps the recall. Kinds and values are those that the
    configs say (`Tried`); exact search is the yardstick and no candidate.

    Args:
        vectors: One row per product.
        queries: Queries such as will be searched.
        base: Settings that are not tried.
        least_recall: The `ann_recall` that is asked for.
        trials: Indexes to build at most.
        k: Depth at which recall and speed are measured.
        seed: Seed of what Optuna chooses.
        advance: Told of every index.
    """
    import optuna

    exact, spaces = ExactIndex.build(vectors), _spaces()
    grid = sum(prod(map(len, space.values())) for space in spaces.values())
    points: dict[tuple[str, Settings], list[Point]] = {}

    def quality(trial: Trial) -> float:
        kind = trial.suggest_categorical("kind", list(spaces))
        chosen = {
            name: trial.suggest_categorical(f"{kind}.{name}", list(tried)) for name, tried in spaces[kind].items()
        }
        key = (kind, tuple(chosen.items()))
        if key not in points:
            points[key] = list(_points(vectors, queries, exact, base=base, kind=kind, chosen=chosen, k=k))
        advance(1, f"{kind} {_told(chosen)}")
        kept = [point.queries_s for point in points[key] if point.ann_recall >= least_recall]
        # Below the recall that is asked for, more recall is better, and any speed above it better still.
        return max(kept) if kept else max(point.ann_recall for point in points[key]) - 1.0

    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        sampler = optuna.samplers.TPESampler(seed=stream_seed(seed, "tune") % _SEED_MODULUS)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for trial in _all_trials(spaces) if grid <= trials else _first_trials(spaces, base):
            study.enqueue_trial(trial)
        study.optimize(quality, n_trials=min(grid, trials))
    finally:
        optuna.logging.set_verbosity(before)
    return [point for found in points.values() for point in found]


def _points(
    vectors: Float32[np.ndarray, "products dim"],
    queries: Float32[np.ndarray, "queries dim"],
    exact: ExactIndex,
    *,
    base: IndexConfig,
    kind: str,
    chosen: dict[str, Any],
    k: int,
) -> Iterator[Point]:
    started = time.perf_counter()
    index = make_index(vectors, Point(kind, chosen, 0.0, 0.0, 0.0, 0.0).config(base))
    build_s = time.perf_counter() - started
    space = tried_values(_config_of(kind), is_of_search=True)
    for values in itertools.product(*space.values()):
        searching = dict(zip(space, values, strict=True))
        one = index.with_search(**searching) if searching and isinstance(index, _Retunable) else index
        yield Point(
            kind,
            {**chosen, **searching},
            ann_recall=ann_recall(one, exact, queries, k=k),
            queries_s=queries_per_second(one, queries, k=k),
            bytes_per_product=one.num_bytes / max(1, one.num_products),
            build_s=build_s,
        )


def _spaces() -> Spaces:
    """Return, for each kind that has settings, the values of building that are tried."""
    kinds = [kind for kind in get_args(get_type_hints(IndexConfig)["kind"]) if kind != ExactIndex.kind]
    return {kind: dict(tried_values(_config_of(kind), is_of_search=False)) for kind in kinds}


def _all_trials(spaces: Spaces) -> Iterator[dict[str, Any]]:
    for kind, space in spaces.items():
        for values in itertools.product(*space.values()):
            yield {"kind": kind, **{f"{kind}.{name}": value for name, value in zip(space, values, strict=True)}}


def _first_trials(spaces: Spaces, base: IndexConfig) -> Iterator[dict[str, Any]]:
    """Yield each kind with the settings of `base`, as far as they are among those that are tried."""
    for kind, space in spaces.items():
        own = getattr(base, IndexConfig.section(kind))
        values = {name: getattr(own, name) for name in space}
        yield {"kind": kind, **{f"{kind}.{name}": value for name, value in values.items() if value in space[name]}}


def _config_of(kind: str) -> type[Any]:
    found: type[Any] = get_type_hints(IndexConfig)[IndexConfig.section(kind)]
    return found


def _told(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())
