import numpy as np
import pyarrow as pa

from aisle.simulation.pages import PAGE_SIZE, Requests


def test_requests_count_their_rows():
    assert len(Requests(np.arange(3), pa.array(["a", "b", "c"]), np.zeros(3, int), np.zeros(3, int))) == 3
    assert PAGE_SIZE == 24
