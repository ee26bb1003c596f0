import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aisle.core.errors import WorkspaceError
from aisle.index import ExactIndex, HnswIndex, HnswPq4Index, IvfPq4Index, load_index, seal_folder, unseal_folder
from aisle.index.sealed import FORMAT_VERSION, HEADER_NAME, sealed_kind
from aisle.workspace import file_sha256, fingerprint

KINDS = {one.kind: one for one in (ExactIndex, HnswIndex, IvfPq4Index, HnswPq4Index)}
FILES = {"exact": "vectors.npy", "hnsw": "index.faiss", "ivf-pq4": "index.faiss", "hnsw-pq4": "index.faiss"}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "data").write_bytes(b"abc")
    seal_folder(tmp_path, kind="toy", values={"dim": 3}, files=["data"])
    return tmp_path


def save(folder, kind):
    vectors = np.random.default_rng(0).standard_normal((50, 4)).astype(np.float32)
    KINDS[kind].build(vectors).save(folder)


def reseal(folder, name):
    """Record the damaged file as it is, as one would who means harm."""
    header = json.loads((folder / HEADER_NAME).read_text())
    header.pop("fingerprint")
    header["files"][name] = file_sha256(folder / name)
    header["fingerprint"] = fingerprint(header)
    (folder / HEADER_NAME).write_text(json.dumps(header))


def test_unsealing_gives_back_the_values(folder):
    assert unseal_folder(folder, kind="toy") == {"dim": 3}
    assert sealed_kind(folder, known=["other", "toy"]) == "toy"


def test_another_kind_is_refused(folder):
    with pytest.raises(WorkspaceError, match=r"must hold an index of kind exact or hnsw.*kind='toy'"):
        sealed_kind(folder, known=["exact", "hnsw"])


@pytest.mark.parametrize("data", [b"abd", b"ab", b""])
def test_a_changed_file_is_refused(folder, data):
    (folder / "data").write_bytes(data)
    with pytest.raises(WorkspaceError, match="state='changed'"):
        unseal_folder(folder, kind="toy")


def test_a_missing_file_is_refused(folder):
    (folder / "data").unlink()
    with pytest.raises(WorkspaceError, match="state='missing'"):
        unseal_folder(folder, kind="toy")


def test_a_changed_header_is_refused(folder):
    header = folder / HEADER_NAME
    header.write_text(header.read_text().replace('"dim": 3', '"dim": 4'))
    with pytest.raises(WorkspaceError, match="not as it was written"):
        unseal_folder(folder, kind="toy")


def test_another_format_version_is_refused(folder):
    header = folder / HEADER_NAME
    header.write_text(header.read_text().replace(f'"format_version": {FORMAT_VERSION}', '"format_version": 99'))
    with pytest.raises(WorkspaceError, match=r"format version 1.*format_version=99"):
        unseal_folder(folder, kind="toy")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        "[" * 100_000,
        '{"format_version": 1}',
        '{"format_version": 1, "x": 1e999}',
        '{"format_version": 1, "x": NaN}',
        '{"format_version": 1, "x": "\\ud800"}',
    ],
)
def test_a_header_that_is_none_is_refused(folder, text):
    (folder / HEADER_NAME).write_text(text)
    with pytest.raises(WorkspaceError, match="An index must be"):
        unseal_folder(folder, kind="toy")


@given(data=st.binary(max_size=300))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", [HEADER_NAME, "index.faiss"])
def test_random_bytes_never_crash_the_loader(tmp_path, name, data):
    save(tmp_path, "hnsw")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(WorkspaceError):
        load_index(tmp_path)


@pytest.mark.parametrize("kind", FILES)
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_file_is_refused_even_where_the_header_agrees_with_it(tmp_path, kind, share):
    save(tmp_path, kind)
    path = tmp_path / FILES[kind]
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(WorkspaceError, match="state='changed'"):
        load_index(tmp_path)
    reseal(tmp_path, FILES[kind])
    with pytest.raises(WorkspaceError, match="must be readable"):
        load_index(tmp_path)


@pytest.mark.parametrize("kind", FILES)
def test_an_index_of_other_vectors_than_the_header_says_is_refused(tmp_path, kind):
    save(tmp_path / "a", kind)
    other = np.eye(5, dtype=np.float32)
    KINDS[kind].build(other).save(tmp_path / "b")
    (tmp_path / "a" / FILES[kind]).write_bytes((tmp_path / "b" / FILES[kind]).read_bytes())
    reseal(tmp_path / "a", FILES[kind])
    with pytest.raises(WorkspaceError, match="must be readable"):
        load_index(tmp_path / "a")


def test_a_pickle_is_not_read(tmp_path):
    save(tmp_path, "exact")
    np.save(tmp_path / "vectors.npy", np.array([object()]), allow_pickle=True)
    reseal(tmp_path, "vectors.npy")
    with pytest.raises(WorkspaceError, match="must be readable"):
        load_index(tmp_path)
