import os
import signal
import subprocess
import sys

import numpy as np
import pytest

from aisle.core.errors import WorkspaceError
from aisle.store import open_store
from aisle.store.edge import edge_errors

_KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np, pyarrow as pa
from aisle.store import open_store
store = open_store(Path(sys.argv[1]))
table = pa.table({"product_id": [f"n{i}" for i in range(300)], "title": [f"velvet {i}" for i in range(300)]})
store.put(np.arange(1000, 1300), table, np.eye(16, dtype=np.float32)[np.arange(300) % 16])
store.delete(np.array([0, 1]))
os.kill(os.getpid(), signal.SIGKILL)
"""


class PanicException(BaseException):
    """As the engine's panics are named."""


@pytest.fixture
def closed(make_store, shelf, random_vectors, place):
    """The folder of a closed store."""
    make_store("qdrant-edge", shelf, random_vectors(7, seed=1), path=place).close()
    return place


def data_files(folder):
    files = (path for path in sorted((folder / "data").rglob("*")) if path.is_file())
    return [path for path in files if path.stat().st_size]


@pytest.mark.parametrize("raised", [Exception("disk gone"), PanicException("index out of bounds")])
def test_what_the_engine_raises_becomes_an_error_of_ours(tmp_path, raised):
    with (
        pytest.raises(WorkspaceError, match=f"searching: {raised}.*built again from catalogue and journal"),
        edge_errors(tmp_path, "searching"),
    ):
        raise raised


@pytest.mark.parametrize("raised", [TypeError("ours"), KeyboardInterrupt()])
def test_our_own_mistakes_and_interrupts_pass_through(tmp_path, raised):
    with pytest.raises(type(raised)), edge_errors(tmp_path, "searching"):
        raise raised


def test_a_flipped_byte_in_any_file_is_found_before_the_engine_reads_it(closed):
    files = data_files(closed)
    assert len(files) > 20
    for path in files[:: max(1, len(files) // 12)]:
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        with pytest.raises(WorkspaceError, match="is changed"):
            open_store(closed)
        path.write_bytes(content)
    store = open_store(closed)
    assert store.num_products == 6
    store.close()


def test_a_cut_or_missing_file_is_found(closed):
    path = max(data_files(closed), key=lambda path: path.stat().st_size)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(WorkspaceError, match="is changed"):
        open_store(closed)
    path.unlink()
    with pytest.raises(WorkspaceError, match="is missing"):
        open_store(closed)


def test_a_store_that_was_not_closed_and_whose_files_are_cut_is_a_clean_error(closed):
    (closed / "seal.json").unlink()
    for path in data_files(closed):
        os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(WorkspaceError, match="built again from catalogue and journal"):
        open_store(closed)


def test_after_a_kill_the_changes_since_the_flush_are_applied_again(closed, shelf, random_vectors):
    done = subprocess.run([sys.executable, "-c", _KILLED, str(closed)], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    store = open_store(closed)
    assert store.applied_offset == 3, "nothing was flushed"
    new = random_vectors(1, seed=5)
    store.put(np.array([1005]), shelf.slice(0, 1), new)
    store.delete(np.setdiff1d(np.arange(1300), [2, 1005]))
    assert store.num_products == 2
    assert store.search(new, k=5).product_index[0, 0] == 1005
    assert sorted(store.search_words(["oak velvet stool"], k=5).product_index[0].tolist()) == [-1, -1, -1, 2, 1005]
    assert store.facets(("brand",)) == {"brand": [("Norvik", 2)]}
    store.flush(8)
    store.close()
    again = open_store(closed)
    assert (again.num_products, again.applied_offset) == (2, 8)
    again.close()
