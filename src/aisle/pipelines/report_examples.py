"""Example searches for the report: a few of each band of the test, answered by every system."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from jaxtyping import Bool

from aisle.core.ranking import NO_PRODUCT, Ranking
from aisle.mining import BANDS
from aisle.pipelines.catalogue import read_judgments, read_products
from aisle.pipelines.questions import DEPTH, Asked, Labels, Questions, read_questions
from aisle.pipelines.searching import load_retrievers
from aisle.reporting.report import Example, Shown
from aisle.workspace import Workspace

__all__ = ["example_labels", "example_searches"]

_SEED = 0
_DRAWN = 200
"""Searches that the examples are taken from: enough to hold some of every band, quick to answer."""
_NUM_SHOWN = 5
_NUM_WANTED = 3


def example_labels(workspace: Workspace) -> Labels | None:
    """Return what is to be found in the examples: truth, orders or judgments; None where there is none of them."""
    if workspace.has("mined"):
        return "truth" if workspace.has("truth") else "log"
    return "judgments" if read_judgments(workspace, "test") is not None else None


def example_searches(workspace: Workspace, labels: Labels, *, per_band: int) -> tuple[list[Example], str]:
    """Let every system answer a few test queries of each band, always the same ones.

    Args:
        workspace: Where systems were indexed.
        labels: What is to be found.
        per_band: Most examples of each band; of judged queries, which have none, four times as many.

    Returns:
        The examples, and in words what was to be found.

    Raises:
        AisleError: If there is no test query, or no index of the present products and model.
    """
    retrievers = load_retrievers(workspace)
    questions = read_questions(workspace, Asked("test", labels, max_searches=_DRAWN, seed=_SEED))
    rankings = questions.rank(retrievers, k=DEPTH)
    titles = read_products(workspace).column("title").combine_chunks()
    chosen = _chosen(questions, per_band=per_band)
    return [_example(questions, rankings, titles, row=row, band=band) for row, band in chosen], questions.labelled


def _chosen(questions: Questions, *, per_band: int) -> list[tuple[int, str]]:
    """Return rows with their bands: the first with distinct words of each band."""
    bands = {name: questions.slices[name] for name in BANDS if name in questions.slices}
    if not bands:
        return [(row, "") for row in _first(questions, questions.is_counted, most=per_band * len(BANDS))]
    return [
        (row, name)
        for name, mask in bands.items()
        for row in _first(questions, questions.is_counted & mask, most=per_band)
    ]


def _first(questions: Questions, mask: Bool[np.ndarray, " queries"], *, most: int) -> list[int]:
    """Return the rows of the first distinct queries, evenly over those that count."""
    rows = np.flatnonzero(mask)
    by_text = {questions.texts[row]: row for row in rows[::-1].tolist()}
    distinct = sorted(by_text.values())
    places = np.linspace(0, len(distinct) - 1, min(most, len(distinct))).astype(np.int64)
    return [distinct[place] for place in places]


def _example(questions: Questions, rankings: dict[str, Ranking], titles: pa.Array, *, row: int, band: str) -> Example:
    wanted = questions.wanted
    between = slice(wanted.offsets[row], wanted.offsets[row + 1])
    is_relevant = wanted.grade[between] >= questions.min_grade
    to_find = wanted.product_index[between][is_relevant]
    best = to_find[np.argsort(-wanted.grade[between][is_relevant], kind="stable")]
    answers, places = {}, {}
    for name, ranking in rankings.items():
        products = ranking.product_index[row]
        found = np.isin(products, to_find)
        shown = products[:_NUM_SHOWN][products[:_NUM_SHOWN] != NO_PRODUCT]
        answers[name] = [Shown(_title(titles, one), bool(one in to_find)) for one in shown.tolist()]
        places[name] = int(found.argmax()) + 1 if found.any() else None
    return Example(
        query=questions.texts[row],
        band=band,
        wanted=tuple(_title(titles, one) for one in best[:_NUM_WANTED].tolist()),
        answers=answers,
        places=places,
    )


def _title(titles: pa.Array, product: int) -> str:
    return str(titles[product].as_py()) if product < len(titles) else "a product that the catalogue lacks"
