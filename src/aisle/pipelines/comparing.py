"""Two systems query by query: of this workspace, of another one on the same data, or a run in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from aisle.core.errors import UsageError
from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.evaluation import (
    DEFAULT_MEASURES,
    Change,
    Comparison,
    biggest_changes,
    compare_values,
    depth_of,
    query_ids,
)
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.quality_dates import check_quality_dates
from aisle.pipelines.questions import DEPTH, Asked, Labels, Questions, read_questions
from aisle.pipelines.run_data import check_same_data, read_run_data
from aisle.pipelines.run_reading import read_run_file
from aisle.pipelines.searching import SYSTEMS, load_retrievers
from aisle.workspace import Workspace

__all__ = ["CompareOutcome", "ToldChange", "compare_systems"]

_DEFAULT_SYSTEM = "hybrid"


@dataclass(frozen=True)
class ToldChange:
    """A query on which the systems differ much, in words.

    Attributes:
        query: Its text.
        slice: First slice that it belongs to; empty where there is none.
        difference: Second system minus first, by the first measure.
        product: Id and title of the relevant product that gained or lost most.
        first_place: Its place in the first system's ranking; None where it is not among the retrieved.
        second_place: Its place in the second's.
        instead: Ids and titles of what the worse system showed first and is not relevant.
    """

    query: str
    slice: str
    difference: float
    product: dict[str, str]
    first_place: int | None
    second_place: int | None
    instead: list[dict[str, str]]


@dataclass(frozen=True)
class CompareOutcome:
    """What came out.

    Attributes:
        first: Name of the first system as it was given.
        second: Name of the second.
        labels: What was to be found.
        labelled: The same in words.
        measures: Names of the measures; wins and losses are by the first.
        comparison: All measures on all slices.
        wins: Queries that the second system answers better, the largest difference first.
        losses: Queries that it answers worse.
        num_better: Queries that the second answers better, worse, and alike.
        notes: What a reader must know of the runs.
    """

    first: str
    second: str
    labels: Labels
    labelled: str
    measures: tuple[str, ...]
    comparison: Comparison
    wins: list[ToldChange]
    losses: list[ToldChange]
    num_better: dict[str, int]
    notes: list[str]

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {
            "first": self.first,
            "second": self.second,
            "labels": self.labels,
            "labelled": self.labelled,
            "simulated": self.labels == "truth",
            "measures": list(self.measures),
            **self.comparison.as_dict(),
            "queries_by_first_measure": self.num_better,
            "wins": [vars(change) for change in self.wins],
            "losses": [vars(change) for change in self.losses],
            "notes": self.notes,
        }


def compare_systems(
    workspace: Workspace,
    first: str,
    second: str,
    *,
    asked: Asked,
    measures: Sequence[str] = DEFAULT_MEASURES,
    num_changes: int = 5,
    seed: int = 0,
) -> CompareOutcome:
    """Compare two systems on the queries of a split.

    Args:
        workspace: Where judgments were imported, or a log mined.
        first: A system of this workspace, a file with a run, or FOLDER:SYSTEM of another workspace.
        second: The other.
        asked: Which queries.
        measures: Names such as "R@100"; wins and losses are by the first.
        num_changes: Most wins and most losses that are told.
        seed: Seed of resamples and sign flips.

    Raises:
        UsageError: If a system is unknown, both are the same, or one was evaluated on other data.
        SourceError: If a file cannot be read, or names unknown queries or products.
    """
    _check_different(first, second)
    depth_of(measures, least=DEPTH, num_products=0)  # an unknown name is refused before minutes are spent
    questions = read_questions(workspace, asked)
    depth = depth_of(measures, least=DEPTH, num_products=questions.num_products)
    sides = [_side(workspace, name, questions, asked, depth=depth) for name in (first, second)]
    rankings = {name: side.ranking for name, side in zip((first, second), sides, strict=True)}
    values = questions.measure(rankings, measures=measures, seed=seed).values
    comparison = compare_values(
        values[first], values[second], is_counted=questions.is_counted, slices=questions.slices, seed=seed
    )
    names = tuple(values[first])
    difference = values[second][names[0]] - values[first][names[0]]
    wins, losses = biggest_changes(
        rankings[first],
        rankings[second],
        questions.wanted,
        difference=difference,
        min_grade=questions.min_grade,
        num_changes=num_changes,
    )
    titles = _Titles(read_products(workspace), questions)
    signs = np.sign(difference[questions.is_counted])
    return CompareOutcome(
        first=first,
        second=second,
        labels=questions.labels,
        labelled=questions.labelled,
        measures=names,
        comparison=comparison,
        wins=[titles.told(change) for change in wins],
        losses=[titles.told(change) for change in losses],
        num_better={name: int((signs == sign).sum()) for name, sign in (("better", 1), ("worse", -1), ("alike", 0))},
        notes=[note for side in sides for note in side.notes],
    )


def _check_different(first: str, second: str) -> None:
    if first == second:
        raise UsageError(
            "Two different systems must be compared",
            received={"first": first, "second": second},
            remedy="Name systems, run files, or FOLDER:SYSTEM.",
        )


@dataclass(frozen=True, eq=False)
class _Side:
    ranking: Ranking
    notes: list[str]


def _side(workspace: Workspace, name: str, questions: Questions, asked: Asked, *, depth: int) -> _Side:
    if name in SYSTEMS:
        check_quality_dates(workspace, [name], labels=questions.labels, split=asked.split)
        return _Side(questions.rank(load_retrievers(workspace, [name]), k=depth)[name], [])
    if Path(name).is_file():
        return _of_file(Path(name), questions, depth=depth)
    folder, system = _folder_and_system(name)
    other = Workspace.open(folder)
    theirs = read_questions(other, asked)
    check_same_data(questions.data, theirs.data, name=name)
    check_quality_dates(other, [system], labels=theirs.labels, split=asked.split)
    return _Side(theirs.rank(load_retrievers(other, [system]), k=depth)[system], [])


def _folder_and_system(name: str) -> tuple[Path, str]:
    """Split FOLDER:SYSTEM; a folder alone stands for its hybrid."""
    folder, colon, system = name.rpartition(":")
    if not colon or system not in SYSTEMS:
        folder, system = name, _DEFAULT_SYSTEM
    if not Path(folder).is_dir():
        raise UsageError(
            f"A system must be one of {', '.join(SYSTEMS)}, a file with a run, or FOLDER:SYSTEM of a workspace",
            received={"system": name},
            remedy="Write runs with `aisle evaluate --run out.trec` or `aisle retrieve`.",
        )
    return Path(folder), system


def _of_file(path: Path, questions: Questions, *, depth: int) -> _Side:
    data = read_run_data(path)
    if data is not None:
        check_same_data(questions.data, data, name=str(path))
    names = questions.names if data is None else query_ids(len(questions.texts))
    ranking = read_run_file(path, ids=questions.ids, names=names)
    notes = [] if data is not None else [f"{path} does not tell what data it was made on: its ids alone were checked."]
    empty = int((~(ranking.product_index != NO_PRODUCT).any(axis=1)).sum()) if ranking.k else len(questions.texts)
    if empty:
        notes.append(f"{path} has no result for {empty:,} of {len(questions.texts):,} queries: they count as missed.")
    return _Side(_padded(ranking, depth), notes)


def _padded(ranking: Ranking, depth: int) -> Ranking:
    """Fill up with empty places what a file holds too little of."""
    missing = max(0, depth - ranking.k)
    return Ranking(
        np.pad(ranking.product_index, [(0, 0), (0, missing)], constant_values=NO_PRODUCT),
        np.pad(ranking.score, [(0, 0), (0, missing)], constant_values=-np.inf),
    )


class _Titles:
    """Puts queries and products into words."""

    def __init__(self, products: pa.Table, questions: Questions) -> None:
        self._ids = questions.ids
        self._titles = products.column("title").combine_chunks()
        self._texts = questions.texts
        self._slices: Mapping[str, np.ndarray] = questions.slices

    def told(self, change: Change) -> ToldChange:
        first_slice = next((name for name, mask in self._slices.items() if mask[change.query]), "")
        return ToldChange(
            query=self._texts[change.query],
            slice=first_slice,
            difference=change.difference,
            product=self._named(change.product_index),
            first_place=change.first_place,
            second_place=change.second_place,
            instead=[self._named(product) for product in change.instead],
        )

    def _named(self, product: int) -> dict[str, str]:
        (product_id,) = self._ids.id_of([product])
        # A judged product that the catalogue lacks has no title.
        title = self._titles[product].as_py() if product < len(self._titles) else ""
        return {"product_id": product_id, "title": title}
