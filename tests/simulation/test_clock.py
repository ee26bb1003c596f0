import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from aisle.simulation.clock import LOG_START, NEVER, SECONDS_PER_DAY, timestamps
from aisle.tables.schema import TIME


def test_a_day_after_the_start_and_a_day_before():
    times = timestamps(np.array([SECONDS_PER_DAY, -SECONDS_PER_DAY]))
    assert [str(time) for time in times.to_pylist()] == ["2025-06-02 00:00:00+00:00", "2025-05-31 00:00:00+00:00"]


def test_the_type_is_the_contracts():
    assert timestamps(np.array([], dtype=np.int64)).type == TIME


@given(st.lists(st.one_of(st.integers(-(10**9), 10**9), st.just(int(NEVER))), min_size=1))
def test_times_are_seconds_since_the_start_or_null(seconds):
    times = timestamps(np.array(seconds, dtype=np.int64))
    assert [time is None for time in times.to_pylist()] == [second == NEVER for second in seconds]
    start = int(LOG_START.astype(np.int64))
    back = [None if micros is None else (micros - start) // 10**6 for micros in times.cast(pa.int64()).to_pylist()]
    assert [second for second in back if second is not None] == [second for second in seconds if second != NEVER]
