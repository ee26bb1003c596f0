from datetime import UTC, date, datetime, timedelta, timezone

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.tables.times import to_time

NEW_YEAR_2019 = datetime(2019, 1, 1, tzinfo=UTC)


def column(*values, kind=None):
    return pa.chunked_array([pa.array(values, kind)])


@pytest.mark.parametrize(
    "text",
    [
        "2019-01-01",
        "2019-01-01T00:00:00Z",
        "2019-01-01 00:00",
        "2019-01-01T00:00:00.000000Z",
        "2019-01-01T02:00:00+02:00",
        "2018-12-31T19:00:00-0500",
        "2018-12-31 19:00:00 -05",
        " 2019-01-01T00:00:00 UTC ",
        "1546300800",
        "1546300800000",
        "1546300800000000",
        "1546300800000000000",
        "1546300800.0",
    ],
)
def test_one_moment_in_many_notations(text):
    cast = to_time(column(text))
    assert cast.values.to_pylist() == [NEW_YEAR_2019]
    assert not cast.bad.any()


@pytest.mark.parametrize(
    "text",
    [
        "2023-02-30",
        "2023-13-01",
        "2023-01-01T25:00:00",
        "0000-01-01",
        "01/02/2023",
        "20190101",
        "20190101120000",
        "17",
        "soon",
    ],
)
def test_what_is_no_time_is_marked(text):
    cast = to_time(column(text, None, ""))
    assert cast.values.null_count == 3
    assert cast.bad.tolist() == [True, False, False]


def test_epoch_numbers_of_every_type():
    for values in (column(1546300800), column(1546300800.0), column(1546300800, kind=pa.uint64())):
        assert to_time(values).values.to_pylist() == [NEW_YEAR_2019]
    assert to_time(column(5, float("nan"), -1)).bad.all()


def test_dates_and_timestamps():
    assert to_time(column(date(2019, 1, 1))).values.to_pylist() == [NEW_YEAR_2019]
    naive = column(datetime(2019, 1, 1), kind=pa.timestamp("s"))
    assert to_time(naive).values.to_pylist() == [NEW_YEAR_2019]
    zoned = column(NEW_YEAR_2019, kind=pa.timestamp("ns", "Europe/Berlin"))
    assert to_time(zoned).values.to_pylist() == [NEW_YEAR_2019]


def test_timestamps_beyond_the_calendar_are_marked():
    cast = to_time(column(1 << 60, 5, kind=pa.timestamp("s")))
    assert cast.values.to_pylist() == [None, datetime(1970, 1, 1, 0, 0, 5, tzinfo=UTC)]
    assert cast.bad.tolist() == [True, False]


def test_other_types_are_marked():
    assert to_time(column([1])).bad.all()
    assert to_time(column(True)).bad.all()


@given(
    st.lists(
        st.datetimes(
            datetime(1, 1, 2),
            datetime(9999, 12, 30),
            timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
        ),
        min_size=1,
    )
)
def test_agrees_with_python_on_iso_text(times):
    cast = to_time(column(*(time.isoformat() for time in times)))
    assert cast.values.to_pylist() == [time.astimezone(UTC) for time in times]
