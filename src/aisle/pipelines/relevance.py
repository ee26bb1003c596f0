"""Relevance beside sales: how the systems that are measured on orders do where somebody graded relevance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from aisle.core.config import config_from_dict
from aisle.core.ids import IdMap
from aisle.core.ranking import Retriever
from aisle.evaluation import (
    EvaluatedSearches,
    JudgedQueries,
    OnSale,
    Summary,
    evaluate_rankings,
    rank_searches,
    retrieve_all,
)
from aisle.measures import Qrels
from aisle.pipelines.catalogue import read_judgments, read_products
from aisle.pipelines.logged_searches import logged_searches
from aisle.pipelines.questions import DEPTH
from aisle.simulation import MarketplaceConfig, draw_world, grade_by_needs, read_needs
from aisle.tables import read_parquet
from aisle.workspace import Workspace

__all__ = ["RELEVANCE_MEASURE", "Relevance", "measure_relevance"]

RELEVANCE_MEASURE = "nDCG@10"
_ANY_GRADE = float(np.finfo(np.float64).tiny)
_MAX_NEEDS = 2_000
_TRUTH_SPLIT = "test"
"""The simulator tells the hidden needs of this window alone."""


@dataclass(frozen=True)
class Relevance:
    """How relevant the answers are, on a set of queries of its own.

    Attributes:
        graded_by: In words, who graded.
        summary: Means of `RELEVANCE_MEASURE` and paired differences over the judged queries.
    """

    graded_by: str
    summary: Summary

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        return {"measure": RELEVANCE_MEASURE, "graded_by": self.graded_by, **self.summary.as_dict()}


def measure_relevance(
    workspace: Workspace, retrievers: Mapping[str, Retriever], *, split: str, seed: int
) -> Relevance | None:
    """Measure systems on grades of relevance; None where nobody graded any.

    A system can sell more by showing what sells instead of what was asked for. Orders alone do not tell. Grades are
    the judgments of the split; where there are none, those that a simulated marketplace's own needs give to the
    searches of its test window (see `grade_by_needs`), at most 2,000 of them.

    Args:
        workspace: Where judgments may have been imported, or a marketplace simulated and mined.
        retrievers: System → retriever.
        split: Rows of the judgments, or window of the log.
        seed: Seed of the draw of searches, of resamples and permutations.
    """
    judgments = read_judgments(workspace, split)
    if judgments is not None:
        return _of_judgments(workspace, retrievers, judgments, told=f"judgments of {split}", seed=seed)
    return _of_needs(workspace, retrievers, seed=seed) if split == _TRUTH_SPLIT and _tells_needs(workspace) else None


def _of_judgments(
    workspace: Workspace, retrievers: Mapping[str, Retriever], judgments: pa.Table, *, told: str, seed: int
) -> Relevance | None:
    judged = JudgedQueries.from_judgments(judgments, IdMap(read_products(workspace).column("product_id")), split=None)
    if not judged.qrels.has_relevant(_ANY_GRADE).any():
        return None
    rankings = {name: retrieve_all(one, judged.texts, k=DEPTH) for name, one in retrievers.items()}
    found = evaluate_rankings(rankings, judged.qrels, measures=[RELEVANCE_MEASURE], min_grade=_ANY_GRADE, seed=seed)
    return Relevance(told, found.headline)


def _tells_needs(workspace: Workspace) -> bool:
    """Tell whether the needs of a mined log are known: those of a given catalogue need its file, which is elsewhere."""
    names = ("truth", "mined", "simulation")
    return all(map(workspace.has, names)) and not workspace.manifest("simulation").inputs


def _of_needs(workspace: Workspace, retrievers: Mapping[str, Retriever], *, seed: int) -> Relevance:
    searches = logged_searches(workspace, labels="truth", split=_TRUTH_SPLIT, max_searches=_MAX_NEEDS, seed=seed)
    on_sale = OnSale.of_products(read_products(workspace))
    rankings = rank_searches(retrievers, searches, on_sale, k=DEPTH)
    grades = _needed(workspace, searches, on_sale)
    found = evaluate_rankings(rankings, grades, measures=[RELEVANCE_MEASURE], min_grade=_ANY_GRADE, seed=seed)
    told = "the simulated shoppers' needs (type, wanted values and brand; their taste and the price have no say)"
    return Relevance(told, found.headline)


def _needed(workspace: Workspace, searches: EvaluatedSearches, on_sale: OnSale) -> Qrels:
    """Grade what was on sale at each search's time by what the shopper needed."""
    intents = read_parquet(workspace.verified("truth") / "intents.parquet")
    place = IdMap(intents.column("search_id")).index_of(pa.array(searches.ids, pa.string()))
    config = config_from_dict(MarketplaceConfig, workspace.manifest("simulation").config)
    world = draw_world(config.products, seed=config.seed, log_days=config.days)
    row, product, grade = grade_by_needs(world.truth, read_needs(intents.take(pa.array(place))))
    kept = on_sale.is_candidate(product[:, None], searches.at[row])[:, 0]
    return Qrels.from_triples(
        query_index=row[kept], product_index=product[kept], grade=grade[kept], num_queries=len(searches)
    )
