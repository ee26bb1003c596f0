from decimal import Decimal

import pyarrow as pa
import pytest

from aisle.tables.casts import as_mask, blank_to_null, flag_all, text_of


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        (pa.array([1, None, -7]), ["1", None, "-7"]),
        (pa.array([123.0, 1.5, float("nan"), 1e300]), ["123", "1.5", None, "1e+300"]),
        (pa.array([True, False]), ["true", "false"]),
        (pa.array([Decimal("1.50")]), ["1.50"]),
        (pa.array(["a", " ", "", None, "\u00a0", " b "]), ["a", None, None, None, None, " b "]),
        (pa.array([b"caf\xc3\xa9"]), ["café"]),
        (pa.array([None, None]), [None, None]),
    ],
)
def test_scalars_as_text(values, texts):
    assert text_of(values).to_pylist() == texts


@pytest.mark.parametrize("values", [pa.array([[1]]), pa.array([{"a": 1}]), pa.array([b"\xff"])])
def test_what_is_no_text_gives_none(values):
    assert text_of(values) is None


def test_blank_to_null_leaves_tables_without_blanks_alone():
    values = pa.array(["a", None])
    assert blank_to_null(values) is values


def test_masks_count_null_as_false():
    assert as_mask(pa.chunked_array([[True, None], [False]])).tolist() == [True, False, False]


def test_flagging_all_spares_nulls():
    cast = flag_all(pa.chunked_array([[[1], None]]), pa.string())
    assert cast.values.to_pylist() == [None, None]
    assert cast.bad.tolist() == [True, False]
