"""The data contract: the six tables, how any table is checked and cast to it, how tables are kept; and mined tables.

Bad rows are set aside with their reasons, bad values of optional columns become null, and both are reported.
"""

from aisle.tables.actions import ACTION_STAGES
from aisle.tables.columns import EVENTS, IMPRESSIONS, JUDGMENTS, PRODUCTS, SCHEMAS, SEARCHES, SPLITS, USERS
from aisle.tables.duplicates import without_copies
from aisle.tables.hashing import table_hash
from aisle.tables.judgments import STAGE_GRADES, GradeMap, Stage, parse_grades
from aisle.tables.mined import MINED_SCHEMAS
from aisle.tables.parquet import read_parquet, write_parquet
from aisle.tables.problems import Problem, Report
from aisle.tables.schema import TIME, Column, TableSchema
from aisle.tables.suggestions import did_you_mean
from aisle.tables.validate import REASON, ROW, Validated, validate

__all__ = [
    "ACTION_STAGES",
    "EVENTS",
    "IMPRESSIONS",
    "JUDGMENTS",
    "MINED_SCHEMAS",
    "PRODUCTS",
    "REASON",
    "ROW",
    "SCHEMAS",
    "SEARCHES",
    "SPLITS",
    "STAGE_GRADES",
    "TIME",
    "USERS",
    "Column",
    "GradeMap",
    "Problem",
    "Report",
    "Stage",
    "TableSchema",
    "Validated",
    "did_you_mean",
    "parse_grades",
    "read_parquet",
    "table_hash",
    "validate",
    "without_copies",
    "write_parquet",
]
