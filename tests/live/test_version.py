import json

import pytest

from aisle.core.errors import WorkspaceError
from aisle.live.version import FILLED, Version, VersionSettings


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "20270101-000000"
    (folder / "store").mkdir(parents=True)
    (folder / "model").mkdir()
    (folder / "model" / "weights").write_bytes(b"12")
    (folder / "store" / "data").write_bytes(b"changes")
    (folder / FILLED).write_text('{"products": 7}')
    Version.seal(folder, content={"model": "abc"}, settings=VersionSettings(depth=50), base_offset=3)
    return folder


def test_what_is_sealed_is_read(folder):
    version = Version.read(folder)
    assert (version.id, version.base_offset, version.num_products) == ("20270101-000000", 3, 7)
    assert (version.settings, dict(version.content)) == (VersionSettings(depth=50), {"model": "abc"})
    assert set(version.manifest.files) == {"model/weights", FILLED}
    version.verify()


def test_the_store_may_change_and_nothing_else(folder):
    version = Version.read(folder)
    (folder / "store" / "data").write_bytes(b"changed")
    version.verify()
    (folder / "model" / "weights").write_bytes(b"13")
    with pytest.raises(WorkspaceError, match=r"as its manifest records it.*weights.*changed"):
        version.verify()
    (folder / "model" / "weights").unlink()
    with pytest.raises(WorkspaceError, match="missing"):
        version.verify()


@pytest.mark.parametrize(
    "change",
    [
        {"summary": {"base_offset": 0, "products": 7}},
        {"config": {"depth": 51}},
        {"files": {"../../other": "00"}},
        {"step": "index"},
        {"fingerprint": "x"},
    ],
)
def test_a_manifest_that_was_changed_is_refused(folder, change):
    path = folder / "manifest.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(WorkspaceError, match=r"must be as it was written.*build another version"):
        Version.read(folder)


def test_a_manifest_that_is_cut_is_refused(folder):
    path = folder / "manifest.json"
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 97):
        path.write_bytes(whole[:length])
        with pytest.raises(WorkspaceError):
            Version.read(folder)


def test_columns_of_the_base_that_it_lacks_are_left_out(live_folder):
    version = Version.read(next(path for path in (live_folder / "versions").iterdir() if path.is_dir()))
    assert version.base(["product_id", "never"]).column_names == ["product_id"]
    assert version.base().num_rows == 300
