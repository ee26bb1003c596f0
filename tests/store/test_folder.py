import json

import pytest

from aisle.core.errors import WorkspaceError
from aisle.store.folder import StoreFolder, lost, write_whole


@pytest.fixture
def sealed(tmp_path):
    """A closed store of one data file."""

    def write(folder):
        (folder.data / "deep").mkdir()
        (folder.data / "deep" / "file").write_bytes(b"abc")
        folder.describe("kind-x", {"dim": 3})
        folder.note_state(7, num_waiting=2)
        folder.seal()

    write_whole(tmp_path / "store", write)
    return tmp_path / "store"


def test_a_folder_tells_what_it_was_told(sealed):
    with StoreFolder.held(sealed) as folder:
        assert folder.kind == "kind-x"
        assert folder.values("kind-x") == {"dim": 3}
        assert folder.state() == (7, 2)
        folder.note_state(9, num_waiting=0)
        assert folder.state() == (9, 0)
        assert folder.unseal()
        assert not folder.unseal(), "the seal is broken: files may have changed"


def test_nobody_else_can_hold_it_at_the_same_time(sealed):
    with StoreFolder.held(sealed), pytest.raises(WorkspaceError, match="open once only"):
        StoreFolder(sealed)
    StoreFolder(sealed).release()


@pytest.mark.parametrize("damage", ["missing", "changed", "added", "cut"])
def test_a_data_file_that_is_not_as_it_was_left_is_found(sealed, damage):
    file = sealed / "data" / "deep" / "file"
    if damage == "missing":
        file.unlink()
    elif damage == "added":
        (sealed / "data" / "other").touch()
    else:
        file.write_bytes({"changed": b"abd", "cut": b"ab"}[damage])
    with (
        StoreFolder.held(sealed) as folder,
        pytest.raises(WorkspaceError, match="is built again from catalogue and journal"),
    ):
        folder.unseal()


@pytest.mark.parametrize("name", ["store.json", "state.json", "seal.json"])
@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"a": NaN}', "[" * 5000, '{"kind": "kind-x"}', "\ud800"])
def test_damaged_descriptions_are_clean_errors(sealed, name, content):
    if content is None:
        (sealed / name).unlink()
    else:
        (sealed / name).write_text(content, encoding="utf-8", errors="surrogatepass")
    with StoreFolder.held(sealed) as folder:
        read = {"store.json": lambda: folder.values("kind-x"), "state.json": folder.state}.get(name, folder.check_seal)
        with pytest.raises(WorkspaceError, match="must be whole"):
            read()


def test_another_kind_or_version_is_refused(sealed):
    with StoreFolder.held(sealed) as folder:
        with pytest.raises(WorkspaceError, match="kind-x, not kind-y"):
            folder.values("kind-y")
        header = json.loads((sealed / "store.json").read_text(encoding="utf-8"))
        (sealed / "store.json").write_text(json.dumps({**header, "format_version": 99}), encoding="utf-8")
        with pytest.raises(WorkspaceError, match="not as it was written"):
            folder.values("kind-x")


def test_a_missing_folder_is_a_clean_error(tmp_path):
    with pytest.raises(WorkspaceError, match="must be whole"):
        StoreFolder(tmp_path / "nothing")


def test_a_build_that_fails_leaves_what_was_there(sealed):
    def fail(folder):
        (folder.data / "half").touch()
        raise ValueError("no space")

    with pytest.raises(ValueError, match="no space"):
        write_whole(sealed, fail)
    assert [path.name for path in sealed.parent.iterdir()] == ["store"]
    with StoreFolder.held(sealed) as folder:
        assert folder.unseal()
        assert folder.state() == (7, 2)


def test_the_error_names_folder_problem_and_remedy(tmp_path):
    assert "broken" in str(lost(tmp_path, "broken"))
    assert "built again" in str(lost(tmp_path, "broken"))
