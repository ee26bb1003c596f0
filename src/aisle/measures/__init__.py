"""Measures of ranking quality with the definitions of ir-measures, vectorised over queries.

`Qrels` holds the judgments, `grades_of` lays them under a ranking, and each measure turns that into one value per
query.
"""

from aisle.measures.average_precision import average_precision
from aisle.measures.grades import first_places, grades_of
from aisle.measures.ndcg import ndcg
from aisle.measures.precision import precision, success
from aisle.measures.qrels import Qrels, check_min_grade
from aisle.measures.recall import recall
from aisle.measures.reciprocal_rank import reciprocal_rank
from aisle.measures.registry import KNOWN_MEASURES, Measure, parse_measure

__all__ = [
    "KNOWN_MEASURES",
    "Measure",
    "Qrels",
    "average_precision",
    "check_min_grade",
    "first_places",
    "grades_of",
    "ndcg",
    "parse_measure",
    "precision",
    "recall",
    "reciprocal_rank",
    "success",
]
