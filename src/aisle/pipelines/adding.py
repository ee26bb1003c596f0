"""Later rows joined to a table that was imported: a new day of a log, or a catalogue's changes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Int64

from aisle.core.errors import TableError
from aisle.tables import TableSchema
from aisle.tables.duplicates import earlier_rows, without_copies

__all__ = ["joined"]

_UPDATED = "updated_at"


def joined(before: pa.Table, later: pa.Table, schema: TableSchema) -> pa.Table:
    """Join later rows to a table.

    A row with the key of an earlier one takes its place, so that rows keep their numbers: a page of yesterday may have
    been bought from today. Where both say when they were updated, an older one takes no place. New rows stand behind,
    and of a table without a key equal rows count once.

    Args:
        before: Validated table; its keys are unique.
        later: Validated rows; their keys are unique.
        schema: What both are.

    Raises:
        TableError: If a column holds texts in one and numbers in the other.
    """
    try:
        both = pa.concat_tables([before, later], promote_options="permissive")
    except (pa.ArrowTypeError, pa.ArrowInvalid) as error:
        raise TableError(
            f"Rows that are added to {schema.name} must have columns of the same types",
            received={"problem": str(error).partition("\n")[0]},
            remedy="Map the column as before, or import the whole table without --add.",
        ) from error
    if not schema.key:
        return without_copies(both)[0]
    first = earlier_rows([both.column(name) for name in schema.key], among=np.ones(both.num_rows, np.bool_))
    rows: Int64[np.ndarray, " rows"] = np.arange(both.num_rows)
    again = np.flatnonzero(first < rows)
    again = again[_is_newer(both, again, first[again])]
    taken = rows.copy()
    taken[first[again]] = again
    return both.take(pa.array(taken[first == rows]))


def _is_newer(
    both: pa.Table, later: Int64[np.ndarray, " pairs"], earlier: Int64[np.ndarray, " pairs"]
) -> Bool[np.ndarray, " pairs"]:
    """Tell which later rows are not older than what they replace; unknown times are taken as said in their order."""
    if _UPDATED not in both.column_names or pa.types.is_null(both.column(_UPDATED).type):
        return np.ones(len(later), np.bool_)
    updated = both.column(_UPDATED)
    newer = pc.greater_equal(updated.take(pa.array(later)), updated.take(pa.array(earlier)))
    return np.asarray(pc.fill_null(newer, True).to_numpy(), np.bool_)
