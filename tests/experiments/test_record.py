import json

import numpy as np

from aisle.experiments import ablation_columns, ablation_rows


def test_rows_have_the_keys_of_the_design(compared):
    rows = compared(labels=("truth", "log"), slices={"head": np.arange(200) < 50}, helps=0.2, same=0.0)
    unified, helps, same = ablation_rows(rows, labels="truth")
    assert set(unified) == {
        "name", "seeds", "baseline", "measures", "slices", "logged_orders", "logged_slices", "training"
    }  # fmt: skip
    assert set(unified["measures"]["R@100"]) == {"value", "low", "high", "seeds"}
    assert set(helps["slices"]) == {"head"}
    assert set(helps["measures"]["R@100"]["baseline_minus_this"]) == {"difference", "low", "high", "p", "p_holm"}
    assert (helps["seeds"], helps["training"]) == (1, {"minutes": [1.5], "cpu_minutes": [2.0]})
    assert (same["same_as_baseline"], "same_as_baseline" in helps) == (True, False)
    assert json.loads(json.dumps([unified, helps, same], allow_nan=False))[1]["name"] == "helps"
    assert "truth_slices" in ablation_rows(rows, labels="log")[0]


def test_what_is_not_defined_is_null(compared):
    [unified, _] = ablation_rows(compared(slices={"one": np.arange(200) < 1}, helps=0.2), labels="truth")
    assert unified["slices"]["one"]["R@100"]["low"] is None


def test_columns_have_a_line_per_cell(compared):
    rows = compared(labels=("truth", "log"), slices={"head": np.arange(200) < 50}, helps=0.2)
    columns = ablation_columns(rows)
    assert {len(column) for column in columns.values()} == {2 * 2 * 2 * 2}
    line = {name: column[8] for name, column in columns.items()}
    assert (line["row"], line["labels"], line["slice"], line["measure"]) == ("helps", "truth", "all", "R@100")
    assert line["baseline_minus_this_difference"] > 0
    assert columns["baseline_minus_this_p"][0] is None
