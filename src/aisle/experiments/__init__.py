"""Experiments: what each ingredient earns, and what an A/B test of two retrieval set-ups would say.

`read_specification` reads the rows, `compare_rows` turns values per search into a table with intervals and corrected
p-values, `hold_against` holds the papers' claims against it, and `ablation_tables` and `ablation_record` lay it out.
"""

from aisle.experiments.ablation import ALL, Cell, Compared, RowResult, RowRuns, compare_rows
from aisle.experiments.claims import Claim, Held, hold_against, published_claims
from aisle.experiments.layout import PlainTable, ablation_tables
from aisle.experiments.record import ablation_columns, ablation_rows
from aisle.experiments.sentence_peer import SentencePeer, TuningReport, check_peers
from aisle.experiments.specification import (
    READY_SPECIFICATION,
    AblationRow,
    Peer,
    Specification,
    System,
    read_specification,
)

__all__ = [
    "ALL",
    "READY_SPECIFICATION",
    "AblationRow",
    "Cell",
    "Claim",
    "Compared",
    "Held",
    "Peer",
    "PlainTable",
    "RowResult",
    "RowRuns",
    "SentencePeer",
    "Specification",
    "System",
    "TuningReport",
    "ablation_columns",
    "ablation_rows",
    "ablation_tables",
    "check_peers",
    "compare_rows",
    "hold_against",
    "published_claims",
    "read_specification",
]
