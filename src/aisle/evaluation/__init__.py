"""Comparison of retrieval systems on judged queries.

`JudgedQueries` groups a judgments table, `evaluate` measures systems on it with bootstrap intervals and paired tests,
`evaluation_table` shows the result, and the TREC readers and writers let other tools repeat it.
"""

from aisle.evaluation.bootstrap import bootstrap_intervals, bootstrap_ratio_intervals
from aisle.evaluation.changes import Change, biggest_changes
from aisle.evaluation.comparison import Compared, Comparison, compare_values
from aisle.evaluation.correction import holm
from aisle.evaluation.debiased import DebiasedRecall, clipped_weights, debiased_recall
from aisle.evaluation.evaluate import (
    DEFAULT_MEASURES,
    Evaluation,
    depth_of,
    evaluate,
    evaluate_rankings,
    retrieve_all,
    slices_by_label,
)
from aisle.evaluation.examination import adjacent_chain
from aisle.evaluation.gating import GateChoice, tune_gate
from aisle.evaluation.on_sale import OnSale
from aisle.evaluation.overlap import overlap
from aisle.evaluation.paired import PairedTest, paired_test, sign_flip_p
from aisle.evaluation.places import NOT_FOUND, places_of
from aisle.evaluation.qrels import JudgedQueries
from aisle.evaluation.run_rows import ranking_of_rows
from aisle.evaluation.searches import (
    REPEATS,
    EvaluatedSearches,
    evaluate_searches,
    measure_searches,
    rank_searches,
)
from aisle.evaluation.summary import Difference, Estimate, Summary, summarise
from aisle.evaluation.table import evaluation_table, p_text, plain_table
from aisle.evaluation.trec import (
    known_indices,
    query_ids,
    read_named_run,
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
    "NOT_FOUND",
    "REPEATS",
    "Change",
    "Compared",
    "Comparison",
    "DebiasedRecall",
    "Difference",
    "Estimate",
    "EvaluatedSearches",
    "Evaluation",
    "GateChoice",
    "JudgedQueries",
    "OnSale",
    "PairedTest",
    "Summary",
    "adjacent_chain",
    "biggest_changes",
    "bootstrap_intervals",
    "bootstrap_ratio_intervals",
    "clipped_weights",
    "compare_values",
    "debiased_recall",
    "depth_of",
    "evaluate",
    "evaluate_rankings",
    "evaluate_searches",
    "evaluation_table",
    "holm",
    "known_indices",
    "measure_searches",
    "overlap",
    "p_text",
    "paired_test",
    "places_of",
    "plain_table",
    "query_ids",
    "rank_searches",
    "ranking_of_rows",
    "read_named_run",
    "read_qrels",
    "read_queries",
    "read_run",
    "retrieve_all",
    "run_lines",
    "sign_flip_p",
    "slices_by_label",
    "summarise",
    "tune_gate",
    "tune_semantic_weight",
    "write_qrels",
    "write_queries",
    "write_run",
]
