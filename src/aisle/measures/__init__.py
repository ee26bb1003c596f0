"""Measures of ranking quality with the definitions of ir-measures, vectorised over queries.

`Qrels` holds the judgments, `grades_of` lays them under a ranking, and each measure turns that into one value per
query.
"""

from aisle.measures.grades import first_places, grades_of
from aisle.measures.ndcg import ndcg
from aisle.measures.qrels import Qrels, check_min_grade
from aisle.measures.recall import recall
from aisle.measures.reciprocal_rank import reciprocal_rank
from aisle.measures.registry import Measure, parse_measure

__all__ = [
    "Measure",
    "Qrels",
    "check_min_grade",
    "first_places",
    "grades_of",
    "ndcg",
    "parse_measure",
    "recall",
    "reciprocal_rank",
]
