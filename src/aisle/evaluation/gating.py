"""The thresholds of the gate that leaves easy queries to words alone, chosen on validation judgments, or none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Bool, Float64

from aisle.core.ranking import Ranking
from aisle.core.rng import generator
from aisle.evaluation.bootstrap import bootstrap_intervals
from aisle.measures import Qrels, grades_of, ndcg, recall
from aisle.retrieval import HybridGate, TitleTerms

__all__ = ["MOST_LOSS", "GateChoice", "tune_gate"]

MOST_LOSS = 0.005
"""What recall@100 and nDCG@10 over all queries may fall by, as the lower end of a 95 % interval."""

_TITLES = (1, 2, 5, 10, 20, 50, 100, 200, 500)
_LEADS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
_LEAST_QUERIES = 100
_LEAST_SHARE = 0.05
_K = 100
_ANY_GRADE = float(np.finfo(np.float64).tiny)


@dataclass(frozen=True)
class GateChoice:
    """What was found.

    Attributes:
        gate: The gate; None where it stays off.
        told: In words, what it was chosen on, or why it is off.
        share: Share of the queries that confirmed it which it leaves to words; 0 where it is off.
    """

    gate: HybridGate | None
    told: str
    share: float = 0.0

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values."""
        if self.gate is None:
            return {"on": False, "told": self.told}
        settings = {"least_titles": self.gate.least_titles, "least_lead": self.gate.least_lead}
        return {"on": True, "told": self.told, "share": self.share, **settings}


def tune_gate(
    titles: TitleTerms, texts: Sequence[str], *, lexical: Ranking, hybrid: Ranking, qrels: Qrels, seed: int
) -> GateChoice:
    """Choose the gate that leaves the most queries to words without losing by it.

    On one half of the queries, drawn, the thresholds are taken that pass the most queries while neither recall@100 nor
    nDCG@10 of those falls. The other half has to confirm them: the lower end of the 95 % interval of the change must
    not lie below `-MOST_LOSS`, for either measure. Else the gate stays off, and so it does where it would save next to
    nothing, or where there are too few queries to tell.

    The clicks of a log are no judgments here: they say which products the log's own search had shown, which is mostly
    what words find (`benchmarks/words.py`).

    Args:
        titles: In how many titles the terms stand.
        texts: Validation queries.
        lexical: What words alone find for them, best first, at least 100 places.
        hybrid: What the hybrid finds for them, 100 places.
        qrels: Their relevant products, graded.
        seed: Seed of the halves and of the resamples.
    """
    is_judged = qrels.has_relevant(_ANY_GRADE)
    if is_judged.sum() < _LEAST_QUERIES:
        return GateChoice(None, f"off: {int(is_judged.sum())} judged validation queries, {_LEAST_QUERIES} are needed")
    change = _quality(lexical, qrels) - _quality(hybrid, qrels)
    half = _half(is_judged, seed=seed)
    best, best_share = None, 0.0
    for least_titles, least_lead in product(_TITLES, _LEADS):
        gate = HybridGate(titles, least_titles=least_titles, least_lead=least_lead)
        opens = gate.opens(texts, lexical, k=_K)
        passed = opens & half
        if passed.sum() > best_share * half.sum() and (change[passed].mean(axis=0) >= 0).all():
            best, best_share = (gate, opens), float(passed.sum() / half.sum())
    if best is None or best_share < _LEAST_SHARE:
        return GateChoice(None, "off: on validation judgments words alone lose on the queries that a gate would pass")
    gate, opens = best
    confirming = is_judged & ~half
    low, _ = bootstrap_intervals(np.where(opens[:, None], change, 0.0)[confirming], seed=seed)
    if (low < -MOST_LOSS).any():
        return GateChoice(None, "off: the other half of the validation judgments did not confirm it")
    share = float((opens & confirming).sum() / confirming.sum())
    return GateChoice(gate, f"{int(is_judged.sum())} validation queries", share)


def _quality(ranking: Ranking, qrels: Qrels) -> Float64[np.ndarray, "queries 2"]:
    grades = grades_of(Ranking(ranking.product_index[:, :_K], ranking.score[:, :_K]), qrels)
    return np.column_stack([recall(grades, qrels, k=_K, min_grade=_ANY_GRADE), ndcg(grades, qrels, k=10)])


def _half(is_judged: Bool[np.ndarray, " queries"], *, seed: int) -> Bool[np.ndarray, " queries"]:
    """Draw half of the judged queries."""
    rows = generator(seed, "gate").permutation(np.flatnonzero(is_judged))
    half = np.zeros(len(is_judged), np.bool_)
    half[rows[: len(rows) // 2]] = True
    return half
