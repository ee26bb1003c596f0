"""What every system of a comparison is asked: queries, what is to be found, and the slices that are told apart."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool

from aisle.core.errors import UsageError
from aisle.core.ids import IdMap
from aisle.core.ranking import Ranking, Retriever
from aisle.core.text import normalise_texts
from aisle.evaluation import (
    REPEATS,
    EvaluatedSearches,
    Evaluation,
    JudgedQueries,
    OnSale,
    evaluate_rankings,
    measure_searches,
    query_ids,
    rank_searches,
    retrieve_all,
    slices_by_label,
)
from aisle.measures import Qrels
from aisle.pipelines.catalogue import read_judgments, read_products
from aisle.pipelines.column_slices import COLUMN, WORDS, asked_columns, column_slices, word_slices
from aisle.pipelines.logged_searches import logged_searches
from aisle.pipelines.search_slices import SLICE_GROUPS, chosen_slices
from aisle.tables import SPLITS
from aisle.workspace import Workspace

__all__ = ["DEPTH", "MAX_SEARCHES", "Asked", "Labels", "Questions", "read_questions"]

Labels = Literal["judgments", "log", "truth"]
"""What is to be found: judged products, the orders of the log's searches, or a simulated marketplace's truth."""

DEPTH = 1000
"""Places retrieved at least; MRR and AP look at all of them. A hybrid's first places hang on it: one for all."""

MAX_SEARCHES = 10_000
"""Searches of a log that are measured where nobody says otherwise, drawn evenly."""

_KIND = "kind"


@dataclass(frozen=True)
class Asked:
    """Which queries are asked.

    Attributes:
        split: Rows of the judgments, or window of the log.
        labels: What is to be found; None for the log where one was mined, else judgments.
        min_grade: Least grade of a relevant product, in the judgments' own units; of judgments alone.
        max_searches: Most searches of a log.
        slices: Groups of slices: of a log those of `SLICE_GROUPS`, of either `words` and `column:NAME`. None: all of a
            log's, and the kinds of judged queries.
        seed: Seed of the draw of searches.
    """

    split: str = "test"
    labels: Labels | None = None
    min_grade: float = 1.0
    max_searches: int = MAX_SEARCHES
    slices: Sequence[str] | None = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Questions:
    """Queries with what is to be found, the same for every system.

    Attributes:
        labels: What is to be found.
        labelled: The same in words.
        min_grade: Least grade of a relevant product.
        texts: The queries.
        wanted: Relevant products, row i for query i.
        slices: Name → queries that belong to it, some perhaps of none.
        ids: The catalogue, followed by judged products that it lacks.
        num_products: Size of the catalogue.
        num_unknown: Judged products that the catalogue lacks; they count as missed.
        data: Hashes of what the figures depend on beside the systems: equal data, equal hashes.
        searches: The searches, where they are a log's.
        on_sale: Lifetimes of the products; for searches alone.
    """

    labels: Labels
    labelled: str
    min_grade: float
    texts: Sequence[str]
    wanted: Qrels
    slices: Mapping[str, Bool[np.ndarray, " queries"]]
    ids: IdMap
    num_products: int
    num_unknown: int
    data: Mapping[str, str]
    searches: EvaluatedSearches | None = None
    on_sale: OnSale | None = None

    @property
    def names(self) -> Sequence[str]:
        """Ids of the queries in files: the searches' own, else q1, q2 and so on."""
        if self.searches is not None and self.searches.ids is not None:
            return self.searches.ids
        return query_ids(len(self.texts))

    @property
    def is_counted(self) -> Bool[np.ndarray, " queries"]:
        """Queries with a relevant product: averages are over these."""
        return self.wanted.has_relevant(self.min_grade)

    def rank(self, retrievers: Mapping[str, Retriever], *, k: int) -> dict[str, Ranking]:
        """Let every system answer; a search's candidates are the products on sale at its time."""
        if self.searches is not None and self.on_sale is not None:
            return rank_searches(retrievers, self.searches, self.on_sale, k=k)
        return {name: retrieve_all(one, list(self.texts), k=k) for name, one in retrievers.items()}

    def measure(self, rankings: Mapping[str, Ranking], *, measures: Sequence[str], seed: int) -> Evaluation:
        """Measure results, with every slice that was asked for; one without a query has no figures."""
        if self.searches is None:
            return evaluate_rankings(
                rankings,
                self.wanted,
                measures=measures,
                min_grade=self.min_grade,
                seed=seed,
                slices=self.slices,
                num_products=self.num_products,
            )
        searches = replace(self.searches, slices=self.slices)
        return measure_searches(rankings, searches, num_products=self.num_products, seed=seed, measures=measures)


def read_questions(workspace: Workspace, asked: Asked) -> Questions:
    """Read the queries of a split with what is to be found.

    Args:
        workspace: Where judgments were imported, or a log mined.
        asked: Which queries.

    Raises:
        UsageError: If a slice is unknown, the split has nothing to measure, or no query has a relevant product.
        WorkspaceError: If the log was not mined.
    """
    if asked.split not in SPLITS:
        raise UsageError(
            f"The split must be one of {', '.join(SPLITS)}",
            received={"split": asked.split},
            remedy="Leave it out for test.",
        )
    labels = asked.labels or ("log" if workspace.has("mined") else "judgments")
    return _judged(workspace, asked) if labels == "judgments" else _searched(workspace, asked, labels)


def _searched(workspace: Workspace, asked: Asked, labels: Literal["log", "truth"]) -> Questions:
    wanted = chosen_slices(asked.slices)
    searches = logged_searches(
        workspace,
        labels=labels,
        split=asked.split,
        max_searches=asked.max_searches,
        seed=asked.seed,
        groups=asked.slices or (),
    )
    others = {name for names in SLICE_GROUPS.values() for name in names} - wanted
    slices = {name: mask for name, mask in searches.slices.items() if name not in others}
    if REPEATS in others:
        searches = replace(searches, repeated=_none(len(searches)))
    if asked.slices is not None:  # what was asked for by name is told even where it is empty
        slices = {**{name: np.zeros(len(searches), bool) for name in _ordered(wanted)}, **slices}
    products = read_products(workspace)
    return Questions(
        labels=labels,
        labelled=searches.labelled,
        min_grade=float(np.finfo(np.float64).tiny),
        texts=searches.texts,
        wanted=searches.wanted,
        slices=slices,
        ids=IdMap(products.column("product_id")),
        num_products=products.num_rows,
        num_unknown=0,
        data=_data(workspace, searches.texts, searches.wanted, searches.at),
        searches=searches,
        on_sale=OnSale.of_products(products),
    )


def _ordered(names: frozenset[str]) -> list[str]:
    return [name for group in SLICE_GROUPS.values() for name in group if name in names]


def _none(num_queries: int) -> Qrels:
    return Qrels(np.zeros(num_queries + 1, np.int64), np.empty(0, np.int64), np.empty(0))


def _judged(workspace: Workspace, asked: Asked) -> Questions:
    _check_slices(asked.slices)
    judgments = read_judgments(workspace, asked.split)
    if judgments is None:
        raise UsageError(
            "The workspace must hold judgments of the split",
            received={
                "split": asked.split,
                "holds": [name for name in SPLITS if read_judgments(workspace, name) is not None],
            },
            remedy="Import judgments with `aisle import --judgments FILE`, or name another --split.",
        )
    catalogue = IdMap(read_products(workspace).column("product_id"))
    judged = JudgedQueries.from_judgments(judgments, catalogue, split=None)
    _check_relevant(judged, asked.min_grade)
    return Questions(
        labels="judgments",
        labelled=f"a product of grade ≥ {asked.min_grade:g}",
        min_grade=asked.min_grade,
        texts=judged.texts,
        wanted=judged.qrels,
        slices=_judged_slices(judgments, judged, asked.slices),
        ids=judged.ids,
        num_products=len(catalogue),
        num_unknown=judged.num_unknown,
        data=_data(workspace, judged.texts, judged.qrels),
    )


def _data(workspace: Workspace, texts: Sequence[str], wanted: Qrels, *others: np.ndarray) -> dict[str, str]:
    digest = hashlib.sha256("\x00".join(texts).encode())
    for array in (wanted.offsets, wanted.product_index, wanted.grade, *others):
        digest.update(np.ascontiguousarray(array).tobytes())
    return {"products": workspace.manifest("products").content, "queries": digest.hexdigest()}


def _check_slices(slices: Sequence[str] | None) -> None:
    fixed = [name for name in slices or () if name != WORDS and not name.startswith(COLUMN)]
    if fixed:
        raise UsageError(
            "Only searches of a log have slices to choose, beside words and column:NAME",
            received={"slices": fixed, "labels": "judgments"},
            remedy="Leave them out of --slices, or measure on --labels log or truth.",
        )


def _check_relevant(judged: JudgedQueries, min_grade: float) -> None:
    """Refuse a grade that no query reaches before minutes are spent on retrieval."""
    if not judged.qrels.has_relevant(min_grade).any():
        raise UsageError(
            "At least one query must have a product of grade --min-grade or above",
            received={"min_grade": min_grade, "highest_grade": float(judged.qrels.grade.max(initial=0))},
            remedy="Lower --min-grade (it is in the judgments' own units).",
        )


def _judged_slices(
    judgments: pa.Table, judged: JudgedQueries, groups: Sequence[str] | None
) -> dict[str, Bool[np.ndarray, " queries"]]:
    """Return the kinds of queries where nothing else is asked for; of a column each query has its first value."""
    if groups is None:
        if not _has_kinds(judgments):
            return {}
        kinds = _first_values(judgments, judged, _KIND)
        return slices_by_label(pc.fill_null(kinds, "other").to_pylist())
    slices = word_slices(judged.texts) if WORDS in groups else {}
    for name in asked_columns(groups):
        if name not in judgments.column_names:
            raise UsageError(
                "A column for slices must be one of judgments",
                received={"column": name, "columns": judgments.column_names},
                remedy="Name one of these, or import judgments with that column.",
            )
        slices |= column_slices(name, _first_values(judgments, judged, name))
    return slices


def _has_kinds(judgments: pa.Table) -> bool:
    """Tell whether queries are labelled by kind, as the generated ones are: by a text."""
    return _KIND in judgments.column_names and pa.types.is_string(judgments.schema.field(_KIND).type)


def _first_values(judgments: pa.Table, judged: JudgedQueries, name: str) -> pa.Array:
    keys = normalise_texts(judgments.column("query").combine_chunks())
    place = pc.index_in(normalise_texts(pa.array(judged.texts, pa.string())), value_set=keys)
    return judgments.column(name).combine_chunks().take(place)
