"""What a log alone tells of systems that did not make it: debiased recall, beside how much of them the log showed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa
from jaxtyping import Float64

from aisle.core.errors import UsageError
from aisle.core.ranking import Retriever
from aisle.evaluation import DebiasedRecall, OnSale, debiased_recall, rank_searches
from aisle.measures import Qrels, parse_measure
from aisle.pipelines.catalogue import read_products
from aisle.pipelines.logged_searches import logged_searches
from aisle.pipelines.propensities import LoggedPages, examination_of, read_pages
from aisle.pipelines.questions import DEPTH, Asked
from aisle.tables import Stage
from aisle.workspace import Workspace

__all__ = ["COVERAGE_K", "Debiased", "DebiasingConfig", "measure_debiased"]

COVERAGE_K = 10
"""Places of each system on which its exposure coverage is taken."""

_DEFAULT_KS = (10, 100)


@dataclass(frozen=True)
class DebiasingConfig:
    """How recall is freed of what the logging search preferred."""

    min_coverage: float = 0.1
    """Least share of a system's first 10 products that the logged pages showed, in 0..1: below it next to nothing is
    known of what it would sell, and it is refused."""

    max_weight: float = 1000.0
    """Most that one logged positive counts against another. Larger: less bias, more variance."""


@dataclass(frozen=True)
class Debiased:
    """Debiased recall with what a reader must know of it.

    Attributes:
        recall: Recall with and without weights.
        num_searches: Searches with a positive.
        coverage: System → share of its first `COVERAGE_K` products that the search's own page had shown.
        shown_by: Share of the positives that each part of the logging policy had shown, where the log says so.
        told_share: Share of the positives whose propensity the log tells; of the others the place alone is known.
        config: How it was done.
    """

    recall: DebiasedRecall
    num_searches: int
    coverage: dict[str, float]
    shown_by: dict[str, float] | None
    told_share: float
    config: DebiasingConfig

    def as_dict(self) -> dict[str, object]:
        """Return plain JSON values; a number that is not defined is null."""
        found = {
            "searches": self.num_searches,
            "positives": self.recall.num_positives,
            "effective_positives": self.recall.effective_positives,
            "clipped_share": self.recall.clipped_share,
            "propensity_told_share": self.told_share,
            "plain": {name: {k: asdict(one) for k, one in row.items()} for name, row in self.recall.plain.items()},
            "debiased": {
                name: {k: asdict(one) for k, one in row.items()} for name, row in self.recall.debiased.items()
            },
            f"coverage@{COVERAGE_K}": self.coverage,
            "shown_by": self.shown_by,
            **asdict(self.config),
        }
        return {name: _plain(value) for name, value in found.items()}


def measure_debiased(
    workspace: Workspace,
    retrievers: Mapping[str, Retriever],
    *,
    asked: Asked,
    measures: Sequence[str],
    config: DebiasingConfig,
) -> Debiased:
    """Measure systems on what a log's searches clicked or better, each weighed by 1/propensity.

    The propensity of a positive is the probability that it was shown, where the log tells it, times the examination of
    its place. Clicks are taken rather than orders alone because they are many times more: the weights leave few.

    Args:
        workspace: Where a log was mined.
        retrievers: System → retriever.
        asked: Which searches: split, number and seed, which is also that of the resamples.
        measures: Their recalls are taken, as far as they name any.
        config: Least coverage and largest weight.

    Raises:
        UsageError: If a system's coverage is below the least, or no search has a positive.
    """
    _check_config(config)
    searches = logged_searches(
        workspace,
        labels="log",
        split=asked.split,
        max_searches=asked.max_searches,
        seed=asked.seed,
        stage=Stage.CLICKED,
    )
    products = read_products(workspace)
    ks = _cut_offs(measures, num_products=products.num_rows)
    rankings = rank_searches(retrievers, searches, OnSale.of_products(products), k=max(DEPTH, *ks))
    pages = read_pages(workspace, pa.array(searches.ids, pa.string()), products.column("product_id").combine_chunks())
    coverage = {name: pages.coverage(ranking, k=COVERAGE_K) for name, ranking in rankings.items()}
    _check_coverage(coverage, config.min_coverage)
    told, examined = _propensities(workspace, pages, searches.wanted)
    return Debiased(
        recall=debiased_recall(
            rankings,
            searches.wanted,
            propensity=np.where(np.isnan(told), 1.0, told) * examined,
            most=config.max_weight,
            ks=ks,
            seed=asked.seed,
        ),
        num_searches=int(searches.wanted.has_relevant(1.0).sum()),
        coverage=coverage,
        shown_by=dict(searches.shown_by) if searches.shown_by is not None else None,
        told_share=float((~np.isnan(told)).mean()) if len(told) else 0.0,
        config=config,
    )


def _check_config(config: DebiasingConfig) -> None:
    if not 0 <= config.min_coverage <= 1 or config.max_weight < 1:
        raise UsageError(
            "--min-coverage must lie in 0..1 and --max-weight at 1 or more",
            received={"min_coverage": config.min_coverage, "max_weight": config.max_weight},
            remedy="Leave them out for 0.1 and 1000.",
        )


def _cut_offs(measures: Sequence[str], *, num_products: int) -> list[int]:
    """Return the cut-offs of the recalls that are asked for, none beyond the catalogue."""
    named = [measure.k for measure in map(parse_measure, measures) if measure.family == "R" and measure.k]
    return list(dict.fromkeys(min(k, num_products) for k in named or _DEFAULT_KS))


def _propensities(
    workspace: Workspace, pages: LoggedPages, positives: Qrels
) -> tuple[Float64[np.ndarray, " positives"], Float64[np.ndarray, " positives"]]:
    """Return how likely each positive was to be shown (NaN where the log does not tell) and to be looked at."""
    place = pages.place_of(positives.query_index, positives.product_index)
    is_shown = place >= 0
    told, position = np.full(len(place), np.nan), np.ones(len(place), np.int64)
    told[is_shown], position[is_shown] = pages.propensity[place[is_shown]], pages.position[place[is_shown]]
    examination = examination_of(workspace)
    return told, examination[np.minimum(position, len(examination)) - 1]


def _check_coverage(coverage: Mapping[str, float], least: float) -> None:
    low = {name: round(share, 4) for name, share in coverage.items() if not share >= least}
    if low:
        raise UsageError(
            f"The log must have shown at least --min-coverage of each system's first {COVERAGE_K} products",
            received={"min_coverage": least, **low},
            remedy="Of what was never shown a log cannot tell: run an A/B test, leave these out of --systems, or lower "
            "--min-coverage.",
        )


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value
