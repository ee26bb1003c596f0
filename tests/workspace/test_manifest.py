import json

import pytest

from aisle.core.errors import WorkspaceError
from aisle.workspace import Manifest, file_sha256, verify_files


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.txt").write_text("abc")
    (tmp_path / "deep" / "b.txt").write_text("def")
    return tmp_path


def describe(folder, **values):
    defaults = {"step": "toy", "fingerprint": "f", "inputs": {"x": "1"}, "config": {"ü": [1, None]}, "seed": 3}
    return Manifest.of_folder(folder, **(defaults | values))


def test_a_manifest_holds_the_hash_of_every_file_but_its_own(folder):
    describe(folder).write(folder)
    manifest = describe(folder)
    assert manifest.files == {
        "a.txt": file_sha256(folder / "a.txt"),
        "deep/b.txt": file_sha256(folder / "deep" / "b.txt"),
    }
    assert {"python", "numpy", "pyarrow"} <= manifest.versions.keys()
    assert manifest.created_at.endswith("+00:00")


def test_a_manifest_of_something_inside_is_a_file_like_others(folder):
    (folder / "deep" / "manifest.json").write_text("{}")
    assert "deep/manifest.json" in describe(folder).files


def test_a_written_manifest_reads_as_it_was(folder):
    manifest = describe(folder, summary={"recall": 0.5})
    manifest.write(folder)
    assert Manifest.read(folder) == manifest


def test_the_content_is_that_of_the_files_alone(folder):
    content = describe(folder).content
    assert describe(folder, seed=4, summary={"minutes": 9}, step="other").content == content
    (folder / "a.txt").write_text("abd")
    changed = describe(folder).content
    (folder / "a.txt").write_text("abc")
    (folder / "a.txt").rename(folder / "c.txt")
    assert len({content, changed, describe(folder).content}) == 3


def test_a_missing_manifest_is_refused(folder):
    with pytest.raises(WorkspaceError, match=r"must hold a manifest\. Received: folder=.*Run its step again"):
        Manifest.read(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"step": "a"}', '{"wings": 2}', "[" * 100_000, "\udcff"])
def test_a_manifest_that_cannot_be_read_is_refused(folder, text):
    (folder / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(WorkspaceError, match=r"must be readable.*Delete the artefact and run its step again"):
        Manifest.read(folder)


def test_a_manifest_with_unknown_fields_is_refused(folder):
    describe(folder).write(folder)
    values = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(values | {"wings": 2}))
    with pytest.raises(WorkspaceError, match=r"must be readable.*wings"):
        Manifest.read(folder)


def test_files_as_they_were_pass(folder):
    verify_files(folder, describe(folder).files)
    verify_files(folder, {})


def test_a_file_that_came_later_is_no_fault(folder):
    files = describe(folder).files
    (folder / "later").write_text("x")
    verify_files(folder, files)


@pytest.mark.parametrize("content", [b"abd", b"ab", b"abc\n", b""])
def test_a_changed_file_is_refused(folder, content):
    files = describe(folder).files
    (folder / "a.txt").write_bytes(content)
    with pytest.raises(
        WorkspaceError, match=r"as its manifest records it\. Received: file='.*a\.txt', state='changed'"
    ):
        verify_files(folder, files)


def test_a_missing_file_is_refused(folder):
    files = describe(folder).files
    (folder / "deep" / "b.txt").unlink()
    with pytest.raises(WorkspaceError, match=r"deep/b\.txt', state='missing'"):
        verify_files(folder, files)
    (folder / "deep" / "b.txt").mkdir()
    with pytest.raises(WorkspaceError, match="state='missing'"):
        verify_files(folder, files)


def test_rows_that_were_set_aside_are_no_part_of_the_content(tmp_path):
    values = {"step": "s", "fingerprint": "f", "inputs": {}, "config": {}, "seed": 0}
    (tmp_path / "rows.txt").write_text("a")
    before = Manifest.of_folder(tmp_path, **values)
    (tmp_path / "quarantine").mkdir()
    (tmp_path / "quarantine" / "rows.txt").write_text("b")
    after = Manifest.of_folder(tmp_path, **values)
    assert "quarantine/rows.txt" in after.files
    assert after.content == before.content
    (tmp_path / "rows.txt").write_text("c")
    assert Manifest.of_folder(tmp_path, **values).content != before.content
