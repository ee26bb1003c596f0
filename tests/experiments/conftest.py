import numpy as np
import pytest

from aisle.experiments import RowRuns, compare_rows


@pytest.fixture
def compared():
    """Compare "unified" with rows whose values lie lower by a share; `lower` names rows and shares."""

    def of(labels=("truth",), slices=None, **lower):
        values = np.random.default_rng(0).random(200) / 2 + 0.25
        shares = {"unified": 0.0, **{name.replace("_", " "): share for name, share in lower.items()}}
        rows = [
            RowRuns(
                name,
                [{one: {"R@100": values * (1 - share), "MRR": values} for one in labels}],
                baseline=None if name == "unified" else "unified",
                is_baseline=share == 0 and name != "unified",
                training=({"minutes": 1.5},),
            )
            for name, share in shares.items()
        ]
        return compare_rows(rows, {one: slices or {} for one in labels}, seed=0)

    return of
