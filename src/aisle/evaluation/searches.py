"""Searches of a log as queries to be measured: each search is one query, with its own time and its own shopper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int64

from aisle.core.errors import ShapeError
from aisle.core.ranking import PastEvents, QueryBatch, Ranking, Retriever
from aisle.evaluation.evaluate import Evaluation, evaluate_rankings, retrieve_all
from aisle.evaluation.on_sale import OnSale
from aisle.measures import Qrels

__all__ = ["REPEATS", "EvaluatedSearches", "evaluate_searches", "rank_searches"]

REPEATS = "repeated orders"
"""Slice of orders of products that the actor had ordered before; they are in no other figure."""


@dataclass(frozen=True, eq=False)
class EvaluatedSearches:
    """Searches with what was to be found.

    Attributes:
        texts: Query of each search.
        at: Microsecond of each search, since 1970 in UTC.
        wanted: Relevant products, row i for search i, without those that the actor had ordered before.
        repeated: Those that the actor had ordered before.
        slices: Name → searches that belong to it.
        labelled: In words, what the relevant products are, such as "orders".
        locations: Where each comes from, None where not known; None: of no search.
        past: What the actor of each did before; None: nothing is known of anybody.
        shown_by: Share of the relevant products that each part of the logging policy had shown, where the log says so.
    """

    texts: Sequence[str]
    at: Int64[np.ndarray, " searches"]
    wanted: Qrels
    repeated: Qrels
    slices: Mapping[str, Bool[np.ndarray, " searches"]]
    labelled: str = "orders"
    locations: Sequence[str | None] | None = None
    past: PastEvents | None = None
    shown_by: Mapping[str, float] | None = None

    def __post_init__(self) -> None:
        lengths = {
            "texts": len(self.texts),
            "at": len(self.at),
            "wanted": self.wanted.num_queries,
            "repeated": self.repeated.num_queries,
        }
        if len(set(lengths.values())) > 1:
            raise ShapeError("All columns of searches must be of one length", received={**lengths})

    def __len__(self) -> int:
        """Return the number of searches."""
        return len(self.texts)


def evaluate_searches(
    retrievers: Mapping[str, Retriever], searches: EvaluatedSearches, on_sale: OnSale, *, k: int, seed: int
) -> tuple[Evaluation, dict[str, Ranking]]:
    """Measure systems on searches; candidates are the products on sale at the search's time.

    Args:
        retrievers: System → retriever.
        searches: At least one of them with a relevant product.
        on_sale: Lifetimes of the catalogue's products.
        k: Places retrieved before products that were not on sale are taken out.
        seed: Seed of resamples and permutations.

    Returns:
        The evaluation, with `REPEATS` as a slice of its own where there are any; and the rankings.
    """
    rankings = rank_searches(retrievers, searches, on_sale, k=k)
    smallest = float(np.finfo(np.float64).tiny)
    found = evaluate_rankings(rankings, searches.wanted, min_grade=smallest, slices=dict(searches.slices), seed=seed)
    if searches.repeated.has_relevant(smallest).any():
        again = evaluate_rankings(rankings, searches.repeated, min_grade=smallest, seed=seed)
        found = replace(found, slices={**found.slices, REPEATS: again.headline})
    return found, rankings


def rank_searches(
    retrievers: Mapping[str, Retriever], searches: EvaluatedSearches, on_sale: OnSale, *, k: int
) -> dict[str, Ranking]:
    """Let every system answer every search from the products that were on sale at its time; see `evaluate_searches`."""
    return {name: on_sale.keep(_of_each(one, searches, k=k), searches.at) for name, one in retrievers.items()}


def _of_each(retriever: Retriever, searches: EvaluatedSearches, *, k: int) -> Ranking:
    """Retrieve once per distinct query and repeat its ranking for each search; of known shoppers, once per search."""
    asked = QueryBatch(searches.texts, searches.locations, searches.past)
    if asked.is_personal:
        return retrieve_all(retriever, asked, k=k)
    row_of = {text: row for row, text in enumerate(dict.fromkeys(searches.texts))}
    ranking = retrieve_all(retriever, list(row_of), k=k)
    rows = np.array([row_of[text] for text in searches.texts], np.int64)
    return Ranking(ranking.product_index[rows], ranking.score[rows])
