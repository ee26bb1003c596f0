"""Comparison of retrieval systems on judged queries.

`JudgedQueries` groups a judgments table, `evaluate` measures systems on it with bootstrap intervals and paired tests,
`evaluation_table` shows the result, and the TREC readers and writers let other tools repeat it.
"""

from aisle.evaluation.bootstrap import bootstrap_intervals
from aisle.evaluation.correction import holm
from aisle.evaluation.evaluate import (
    DEFAULT_MEASURES,
    Evaluation,
    evaluate,
    evaluate_rankings,
    retrieve_all,
    slices_by_label,
)
from aisle.evaluation.on_sale import OnSale
from aisle.evaluation.overlap import overlap
from aisle.evaluation.paired import PairedTest, paired_test, sign_flip_p
from aisle.evaluation.qrels import JudgedQueries
from aisle.evaluation.searches import REPEATS, EvaluatedSearches, evaluate_searches, rank_searches
from aisle.evaluation.summary import Difference, Estimate, Summary, summarise
from aisle.evaluation.table import evaluation_table
from aisle.evaluation.trec import (
    query_ids,
    read_qrels,
    read_queries,
    read_run,
    run_lines,
    write_qrels,
    write_queries,
    write_run,
)
from aisle.evaluation.tuning import tune_semantic_weight

__all__ = [
    "DEFAULT_MEASURES",
    "REPEATS",
    "Difference",
    "Estimate",
    "EvaluatedSearches",
    "Evaluation",
    "JudgedQueries",
    "OnSale",
    "PairedTest",
    "Summary",
    "bootstrap_intervals",
    "evaluate",
    "evaluate_rankings",
    "evaluate_searches",
    "evaluation_table",
    "holm",
    "overlap",
    "paired_test",
    "query_ids",
    "rank_searches",
    "read_qrels",
    "read_queries",
    "read_run",
    "retrieve_all",
    "run_lines",
    "sign_flip_p",
    "slices_by_label",
    "summarise",
    "tune_semantic_weight",
    "write_qrels",
    "write_queries",
    "write_run",
]
