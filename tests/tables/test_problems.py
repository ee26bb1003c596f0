import json

import numpy as np
import pyarrow as pa

from aisle.tables import Problem, Report
from aisle.tables.problems import first_offenders


def test_first_offenders_count_from_one_and_stop_at_five():
    mask = np.array([False, True] * 10)
    offenders = first_offenders(mask, [pa.chunked_array([list(range(20))])])
    assert offenders == ((2, 1), (4, 3), (6, 5), (8, 7), (10, 9))


def test_values_of_several_columns_are_joined():
    columns = [pa.chunked_array([["s1"]]), pa.chunked_array([[3]])]
    assert first_offenders(np.array([True]), columns) == ((1, "s1 · 3"),)


def test_long_values_are_cut_and_odd_ones_written_out():
    columns = pa.chunked_array([pa.array([b"x" * 500])])
    [(_, value)] = first_offenders(np.array([True]), [columns])
    assert len(value) == 120
    assert value.endswith("…")
    assert first_offenders(np.array([True]), [pa.chunked_array([[float("nan")]])]) == ((1, "nan"),)


def test_report_counts_and_becomes_json():
    problem = Problem("price", "must be a number", "nulled", 2, ((1, "x"), (3, "y")))
    report = Report("products", num_rows=5, num_usable=4, problems=(problem,), notes=("note",))
    assert report.num_quarantined == 1
    assert json.loads(json.dumps(report.as_dict())) == {
        "table": "products",
        "rows": 5,
        "usable": 4,
        "quarantined": 1,
        "problems": [
            {
                "column": "price",
                "rule": "must be a number",
                "action": "nulled",
                "count": 2,
                "first": [{"row": 1, "value": "x"}, {"row": 3, "value": "y"}],
            }
        ],
        "notes": ["note"],
    }
    assert str(problem) == "price must be a number: 2 nulled (row 1: 'x', row 3: 'y')"
