"""Measure retrieval systems against each other on judged queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from aisle.core.errors import ShapeError, UsageError
from aisle.core.progress import progress_bar
from aisle.core.ranking import QueryBatch, Ranking, Retriever, check_k
from aisle.evaluation.overlap import overlap
from aisle.evaluation.summary import Summary, Values, summarise
from aisle.measures import Measure, Qrels, grades_of, parse_measure

__all__ = [
    "DEFAULT_MEASURES",
    "Evaluation",
    "evaluate",
    "evaluate_rankings",
    "retrieve_all",
    "slices_by_label",
]

DEFAULT_MEASURES = ("R@10", "R@100", "nDCG@10", "MRR")
_NUM_OVERLAP = 10
_BATCH_SIZE = 512


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Per-query values of all systems, and what they come to.

    Attributes:
        min_grade: Least grade of a relevant product, in the judgments' own units.
        measures: Canonical names of the measures.
        values: System → measure → value of every query, NaN for queries without a relevant product.
        is_counted: Queries with a relevant product: all averages are over these.
        headline: Averages over all counted queries.
        slices: Averages over the counted queries of each slice.
    """

    min_grade: float
    measures: tuple[str, ...]
    values: Values
    is_counted: Bool[np.ndarray, " queries"]
    headline: Summary
    slices: dict[str, Summary]

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values: the headline's, with `min_grade` and the slices (`by`) beside them."""
        return {
            **self.headline.as_dict(),
            "min_grade": self.min_grade,
            "queries_without_relevant": int((~self.is_counted).sum()),
            "by": {name: summary.as_dict() for name, summary in self.slices.items()},
        }


def evaluate(
    retrievers: Sequence[Retriever],
    queries: Sequence[str],
    qrels: Qrels,
    *,
    measures: Sequence[str] = DEFAULT_MEASURES,
    min_grade: float = 1.0,
    seed: int = 0,
    k: int = 1000,
    slices: Mapping[str, Bool[np.ndarray, " queries"]] | None = None,
) -> Evaluation:
    """Let every system answer every query from the whole catalogue, and measure the answers.

    Args:
        retrievers: The systems; each is compared with all before it.
        queries: Query texts, row i of `qrels`.
        qrels: Judgments (`JudgedQueries.qrels`).
        measures: Names such as "R@100".
        min_grade: Least grade of a relevant product; decides relevance for R and MRR, and which queries count.
        seed: Seed of resamples and permutations.
        k: Places retrieved at least; a larger cut-off among `measures` retrieves more. MRR looks at all of them.
        slices: Name → queries that belong to it; slices may overlap.

    Raises:
        UsageError: If no query has a relevant product, a name is unknown or given twice, or there is no system.
        ShapeError: If queries, qrels or slices differ in length.
    """
    check_k(k)
    parsed = list(dict.fromkeys(map(parse_measure, measures)))
    names = [retriever.name for retriever in retrievers]
    if len(set(names)) != len(names):
        raise UsageError("Systems must have distinct names", received={"systems": names})
    if len(queries) != qrels.num_queries:
        raise ShapeError(
            "There must be one text per judged query",
            received={"texts": len(queries), "judged": qrels.num_queries},
        )
    # Retrieval can take minutes: what is wrong already is said before it.
    _check_inputs(names, parsed, qrels, min_grade=min_grade, slices=slices or {})
    depth = max([k, *(measure.k for measure in parsed if measure.k is not None)])
    rankings = {retriever.name: retrieve_all(retriever, queries, k=depth) for retriever in retrievers}
    return evaluate_rankings(rankings, qrels, measures=measures, min_grade=min_grade, seed=seed, slices=slices)


def retrieve_all(retriever: Retriever, queries: Sequence[str] | QueryBatch, *, k: int) -> Ranking:
    """Retrieve for any number of queries, in batches and with a progress bar."""
    asked = queries if isinstance(queries, QueryBatch) else QueryBatch(queries)
    parts = [Ranking(np.empty((0, k), np.int64), np.empty((0, k), np.float32))]
    with progress_bar(f"Retrieving ({retriever.name})", total=len(queries), unit="queries") as advance:
        for start in range(0, len(queries), _BATCH_SIZE):
            batch = asked.between(start, start + _BATCH_SIZE)
            parts.append(retriever.retrieve(batch, k=k))
            advance(len(batch))
    return Ranking(
        np.concatenate([part.product_index for part in parts]), np.concatenate([part.score for part in parts])
    )


def evaluate_rankings(
    rankings: Mapping[str, Ranking],
    qrels: Qrels,
    *,
    measures: Sequence[str] = DEFAULT_MEASURES,
    min_grade: float = 1.0,
    seed: int = 0,
    slices: Mapping[str, Bool[np.ndarray, " queries"]] | None = None,
) -> Evaluation:
    """Measure results that are there already, such as a run read from a file.

    Args:
        rankings: System → results, row i for query i of `qrels`; at least as deep as the largest cut-off.
        qrels: Judgments.
        measures: Names such as "R@100".
        min_grade: Least grade of a relevant product.
        seed: Seed of resamples and permutations.
        slices: Name → queries that belong to it.

    Raises:
        UsageError: If no query has a relevant product, a name is unknown or given twice, or there is no system.
        ShapeError: If rankings, qrels or slices differ in length, or a ranking is too short for a measure.
    """
    parsed = list(dict.fromkeys(map(parse_measure, measures)))
    slices = slices or {}
    _check_inputs(list(rankings), parsed, qrels, min_grade=min_grade, slices=slices)
    is_counted = qrels.has_relevant(min_grade)
    values = {system: _per_query(ranking, qrels, parsed, min_grade=min_grade) for system, ranking in rankings.items()}
    overlaps = {
        system: {name: overlap(ranking, other, k=_NUM_OVERLAP) for name, other in rankings.items() if name != system}
        for system, ranking in rankings.items()
    }
    return Evaluation(
        min_grade=float(min_grade),
        measures=tuple(measure.name for measure in parsed),
        values=values,
        is_counted=is_counted,
        headline=summarise(values, overlaps=overlaps, chosen=is_counted, seed=seed),
        slices={
            name: summarise(values, overlaps=overlaps, chosen=is_counted & np.asarray(mask, dtype=bool), seed=seed)
            for name, mask in slices.items()
        },
    )


def slices_by_label(labels: Sequence[str]) -> dict[str, Bool[np.ndarray, " queries"]]:
    """Turn one label per query into one slice per label, by name.

    >>> {name: mask.tolist() for name, mask in slices_by_label(["tail", "head", "tail"]).items()}
    {'head': [False, True, False], 'tail': [True, False, True]}
    """
    array = np.asarray(labels, dtype=np.str_)
    return {str(label): array == label for label in np.unique(array)}


def _per_query(
    ranking: Ranking, qrels: Qrels, measures: Sequence[Measure], *, min_grade: float
) -> dict[str, np.ndarray]:
    grades = grades_of(ranking, qrels)
    values = {measure.name: measure.per_query(grades, qrels, min_grade=min_grade) for measure in measures}
    # nDCG is defined for more queries than the others; one table must speak of one set of queries.
    is_counted = qrels.has_relevant(min_grade)
    return {name: np.where(is_counted, column, np.nan) for name, column in values.items()}


def _check_inputs(
    systems: Sequence[str],
    measures: Sequence[Measure],
    qrels: Qrels,
    *,
    min_grade: float,
    slices: Mapping[str, Bool[np.ndarray, " queries"]],
) -> None:
    if not systems or not measures:
        raise UsageError(
            "There must be at least one system and one measure",
            received={"systems": list(systems), "measures": [measure.name for measure in measures]},
        )
    wrong = {name: np.shape(mask) for name, mask in slices.items() if np.shape(mask) != (qrels.num_queries,)}
    if wrong:
        raise ShapeError("A slice must have one entry per query", received={"queries": qrels.num_queries, **wrong})
    if not qrels.has_relevant(min_grade).any():
        highest = float(qrels.grade.max()) if len(qrels.grade) else None
        raise UsageError(
            "At least one query must have a product of grade min_grade or above",
            received={"min_grade": min_grade, "highest_grade": highest, "judgments": len(qrels.grade)},
            remedy="Lower min_grade (it is in the judgments' own units)."
            if highest is not None and highest > 0
            else "Import judgments with a grade above 0.",
        )
