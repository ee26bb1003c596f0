import shutil
from pathlib import Path

import pytest

from aisle.core.errors import UsageError, WorkspaceError
from aisle.live.building import FillHere
from aisle.live.versions import Versions
from aisle.pipelines.versions import WorkspaceSource
from aisle.store import Journal, ProductChange
from aisle.workspace import Workspace


@pytest.fixture
def journal(live_folder):
    with Journal.open(live_folder / "journal") as opened:
        yield opened


@pytest.fixture
def versions(live_folder, journal):
    return Versions(live_folder / "versions", journal)


@pytest.fixture
def build(live_folder, versions):
    source = WorkspaceSource(Workspace.open(live_folder)).read()
    return lambda name="v2", fill=None: versions.build(source, name, fill=fill or FillHere())


def fail(folder):
    raise WorkspaceError("There must be room")


def test_a_version_holds_what_the_journal_holds_by_then(versions, journal, build, simulated):
    gone, changed = simulated.products["product_id"].to_pylist()[:2]
    journal.append_products(
        [ProductChange(gone, None), ProductChange("new", {"product_id": "new", "title": "zorblax"})]
    )
    journal.append_products([ProductChange(changed, {"product_id": changed, "title": "flumph"})])
    version = build()
    base = version.base()
    assert (version.base_offset, base.num_rows, version.num_products) == (3, 300, 300)
    assert base["product_id"].to_pylist() == [changed, *simulated.products["product_id"].to_pylist()[2:], "new"]
    assert base["title"].to_pylist()[0] == "flumph"
    assert journal.pins()[version.id] == 3
    version.verify()


def test_links_outlive_what_they_were_made_of(live_folder, build, versions):
    version = build()
    shutil.rmtree(live_folder / "model")
    shutil.rmtree(live_folder / "index")
    version.verify()
    assert versions.get("v2").id == "v2"


@pytest.mark.parametrize("stopped", [WorkspaceError("no room"), KeyboardInterrupt()])
def test_a_build_that_fails_leaves_nothing(versions, journal, build, stopped):
    before, pins = [one.id for one in versions.all()], journal.pins()

    def fill(folder):
        raise stopped

    with pytest.raises(type(stopped)):
        build(fill=fill)
    assert [one.id for one in versions.all()] == before
    assert journal.pins() == pins


def test_a_build_that_was_killed_is_no_version(live_folder, versions, journal, build):
    build()
    shutil.copytree(live_folder / "versions" / "v2", live_folder / "versions" / ".partial-v3")
    journal.pin("v3", 0)
    journal.unpin("v2")
    names = [one.id for one in versions.all()]
    again = Versions(live_folder / "versions", journal)
    assert [one.id for one in again.all()] == names
    assert not (live_folder / "versions" / ".partial-v3").exists()
    assert set(journal.pins()) == set(names), "pins are those of the versions that are there"


def test_a_folder_that_is_none_is_passed_over(live_folder, versions):
    (live_folder / "versions" / "notes").mkdir()
    (live_folder / "versions" / "file").write_text("x")
    assert len(versions.all()) == 1
    with pytest.raises(UsageError, match=r"built to its end.*id='\.\./versions'"):
        versions.get("../versions")


def test_one_is_current(live_folder, versions, build):
    first = versions.current()
    build()
    versions.make_current("v2")
    assert versions.current().id == "v2"
    with pytest.raises(UsageError, match="built to its end"):
        versions.make_current("v9")
    with pytest.raises(UsageError, match="current version must stay"):
        versions.remove("v2")
    versions.remove(first.id)
    assert [one.id for one in versions.all()] == ["v2"]
    shutil.rmtree(live_folder / "versions" / "v2")
    assert versions.current() is None


def test_a_kill_while_versions_are_switched_leaves_one_of_them(versions, build, monkeypatch):
    first = versions.current().id
    build()

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            versions.make_current("v2")
    assert versions.current().id == first
    with monkeypatch.context() as patched:
        patched.setattr("aisle.live.versions._fsync", killed)
        with pytest.raises(KeyboardInterrupt):
            versions.make_current("v2")
    assert versions.current().id == "v2"
    assert {one.id for one in versions.all()} == {first, "v2"}


def test_ids_are_never_those_that_are_there(versions, live_folder):
    first = versions.new_id()
    (live_folder / "versions" / first).mkdir()
    second = versions.new_id()
    assert second != first
    (live_folder / "versions" / f".partial-{second}").mkdir()
    assert versions.new_id() not in {first, second}
