"""Stages of a shown product, and the map from human grades to stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from types import MappingProxyType

import numpy as np
from jaxtyping import Float64, Int64

from aisle.core.errors import ConfigError

__all__ = ["STAGE_GRADES", "GradeMap", "Stage", "parse_grades"]


class Stage(IntEnum):
    """How far a shown product came; a later stage is a stronger sign of relevance.

    >>> Stage.SHOWN < Stage.CLICKED < Stage.FAVORITED < Stage.CARTED < Stage.ORDERED
    True
    """

    SHOWN = 0
    CLICKED = 1
    FAVORITED = 2
    CARTED = 3
    ORDERED = 4

    @property
    def label(self) -> str:
        """Name of the stage in tables and on the command line."""
        return self.name.lower()


STAGE_GRADES: Mapping[Stage, float] = MappingProxyType(
    {Stage.SHOWN: 1.0, Stage.CLICKED: 2.0, Stage.FAVORITED: 3.0, Stage.CARTED: 3.0, Stage.ORDERED: 4.0}
)
"""Training grade of each stage; a product that was never shown has 0."""


@dataclass(frozen=True)
class GradeMap:
    """The grade at which each stage begins.

    Attributes:
        thresholds: Lowest grade of a stage, in the judgments' own units; strictly increasing with the stage.
            Grades below all of them are `shown`.
    """

    thresholds: Mapping[Stage, float]

    def stage_of(self, grade: Float64[np.ndarray, " judgments"]) -> Int64[np.ndarray, " judgments"]:
        """Return the stage of every grade, as the integers of `Stage`.

        >>> parse_grades("ordered=3,clicked=2.33").stage_of(np.array([1.0, 2.33, 3.0])).tolist()
        [0, 1, 4]
        """
        stages = sorted(self.thresholds)
        levels = np.array([Stage.SHOWN, *stages], np.int64)
        begins = np.array([self.thresholds[stage] for stage in stages], np.float64)
        # A comparison, not a binary search: it leaves NaN at `shown`, where searchsorted would call it ordered.
        reached = (np.asarray(grade, np.float64)[:, None] >= begins).sum(axis=1)
        return levels[reached]


def parse_grades(text: str) -> GradeMap:
    """Read a map such as "ordered=3,clicked=2.33".

    Raises:
        ConfigError: If a stage is unknown or stands twice, a grade is not a finite number, or a later stage begins
            at a lower grade; lists every problem.
    """
    problems: list[str] = []
    thresholds: dict[Stage, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, grade_text = (piece.strip() for piece in part.partition("="))
        stage = _stage(name, problems)
        grade = _grade(part, grade_text, problems)
        if stage in thresholds:
            problems.append(f"{name} stands twice")
        elif stage is not None and grade is not None:
            thresholds[stage] = grade
    ordered = sorted(thresholds)
    for lower, higher in pairwise(ordered):
        if thresholds[higher] <= thresholds[lower]:
            problems.append(f"{higher.label} must begin at a higher grade than {lower.label}")
    if not thresholds and not problems:
        problems.append("no stage is named")
    if problems:
        raise ConfigError(
            "Grades must map stages to increasing numbers: " + "; ".join(problems),
            received={"grades": text},
            remedy="Write for instance ordered=3,clicked=2.33 (stages: clicked, favorited, carted, ordered).",
        )
    return GradeMap(MappingProxyType(thresholds))


def _stage(name: str, problems: list[str]) -> Stage | None:
    if name == Stage.SHOWN.label:
        problems.append("shown has no grade of its own: it is all that lies below the other stages")
        return None
    if name not in {stage.label for stage in Stage}:
        problems.append(f"{name!r} is no stage")
        return None
    return Stage[name.upper()]


def _grade(part: str, text: str, problems: list[str]) -> float | None:
    try:
        grade = float(text)
    except ValueError:
        grade = float("nan")
    if not np.isfinite(grade):
        problems.append(f"{part!r} gives no finite grade")
        return None
    return grade
