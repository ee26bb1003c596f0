import numpy as np
import pyarrow as pa
import pytest

from aisle.pipelines.exposures import shown_by
from aisle.tables import write_parquet
from aisle.workspace import Workspace

IDS = pa.array(["a", "b", "c"])
SEARCHES = pa.array(["q1", "q2"])


@pytest.fixture
def shares(tmp_path):
    """Write impressions with these further columns and return the shares of a and b of q1 and c of q2."""

    def run(**columns):
        rows = {"search_id": ["q1", "q1", "q2", "q2", "q9"], "product_id": ["a", "b", "a", "c", "a"], **columns}
        workspace = Workspace.open(tmp_path, create=True)
        workspace.run_step(
            "impressions",
            lambda folder: write_parquet(pa.table(rows), folder / "impressions.parquet"),
            config={"of": str(columns)},
        )
        row, product = np.array([0, 0, 1]), np.array([0, 1, 2])
        return shown_by(workspace, SEARCHES, IDS, row=row, product_index=product)

    return run


def test_shares_of_what_is_to_be_found(shares):
    told = shares(slot=["ranked", "random", "random", "ranked", "random"])
    assert told == pytest.approx({"ranked": 2 / 3, "random": 1 / 3})
    assert list(told) == ["ranked", "random"]


def test_what_the_log_does_not_say_is_left_out(shares):
    assert shares(exposed_by=["bm25", None, "bm25", None, "bm25"]) == pytest.approx({"bm25": 1 / 3})
    assert shares() is None
