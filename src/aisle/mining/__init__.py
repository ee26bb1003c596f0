"""Mining a search log, so that no feature of a search knows what came after it.

Split by time, stages as of a time, assisted positives, histories, and snapshots of graph and statistics.
The work is SQL (`*.sql`, DuckDB's dialect, parameters bound); Python finds the boundaries and normalises texts.
"""

from aisle.mining.config import AssistConfig, GraphConfig, MiningConfig
from aisle.mining.continuing import Carried, mined_until
from aisle.mining.mine import LogFiles, mine_log, num_steps
from aisle.mining.reading import MinedLog, Ragged
from aisle.mining.summary import BANDS
from aisle.mining.texts import query_keys
from aisle.mining.windows import Windows, continue_windows, find_windows

__all__ = [
    "BANDS",
    "AssistConfig",
    "Carried",
    "GraphConfig",
    "LogFiles",
    "MinedLog",
    "MiningConfig",
    "Ragged",
    "Windows",
    "continue_windows",
    "find_windows",
    "mine_log",
    "mined_until",
    "num_steps",
    "query_keys",
]
