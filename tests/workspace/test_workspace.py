import fcntl
import json
import subprocess
import sys
from pathlib import Path
from threading import Thread
from unittest.mock import patch

import pytest

from aisle.core.errors import WorkspaceError
from aisle.workspace import Workspace
from aisle.workspace.workspace import FORMAT_VERSION


@pytest.fixture
def workspace(tmp_path):
    return Workspace.open(tmp_path / "shop", create=True)


def run(workspace, name="model", content="new", **settings):
    """Run a step that writes one file, and tell what its folder held before."""
    held = []

    def build(folder):
        held.append(sorted(path.name for path in folder.iterdir()))
        (folder / "data").write_text(content)
        return {"letters": len(content)}

    result = workspace.run_step(name, build, **({"config": {}} | settings))
    return result, held


def partial(workspace):
    return sorted(path.name for path in (workspace.path / ".partial").iterdir() if not path.name.startswith("."))


class KilledError(Exception):
    """Stands for whatever ends a step early."""


def fail(workspace, name="model", **settings):
    def build(folder):
        (folder / "checkpoint").write_text("half")
        raise KilledError

    with pytest.raises(KilledError):
        workspace.run_step(name, build, **({"config": {}} | settings))


def test_a_workspace_is_created_once_and_opened_after(tmp_path):
    created = Workspace.open(tmp_path / "a" / "shop", create=True)
    run(created)
    assert Workspace.open(tmp_path / "a" / "shop").names() == ["model"]
    assert Workspace.open(tmp_path / "a" / "shop", create=True).names() == ["model"]


@pytest.mark.parametrize("left", [[], ["workspace.tmp"]])
def test_an_empty_folder_becomes_a_workspace_and_so_does_one_whose_making_was_killed(tmp_path, left):
    for name in left:
        (tmp_path / name).write_text("{")
    Workspace.open(tmp_path, create=True)
    assert [path.name for path in tmp_path.iterdir()] == ["workspace.json"]


def test_a_workspace_that_is_missing_is_refused(tmp_path):
    with pytest.raises(WorkspaceError, match=r"workspace must exist\. Received: workspace='.*'\. Run `aisle import`"):
        Workspace.open(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_folder_of_other_things_is_refused_and_left_as_it_is(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(WorkspaceError, match="must exist"):
        Workspace.open(tmp_path)
    with pytest.raises(WorkspaceError, match=r"empty or a new folder.*nothing was changed"):
        Workspace.open(tmp_path, create=True)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_file_is_no_workspace(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="must be a folder"):
        Workspace.open(tmp_path / "file", create=True)
    with pytest.raises(WorkspaceError, match="must be writable"):
        Workspace.open(tmp_path / "file" / "shop", create=True)


@pytest.mark.parametrize(
    ("marker", "version"),
    [('{"format_version": 99}', "99"), ("{}", "'unreadable'"), ("", "'unreadable'"), ("[]", "'un")],
)
def test_a_workspace_of_another_version_is_refused(workspace, marker, version):
    (workspace.path / "workspace.json").write_text(marker)
    for create in (False, True):
        with pytest.raises(WorkspaceError, match=rf"format version {FORMAT_VERSION}.*format_version={version}"):
            Workspace.open(workspace.path, create=create)


def test_an_artefact_is_written_whole_with_its_manifest(workspace):
    result, held = run(workspace, config={"size": 3}, seed=7)
    assert held == [[]]
    assert not result.skipped
    assert workspace.has("model")
    assert workspace.manifest("model") == result.manifest
    assert (result.manifest.step, result.manifest.config, result.manifest.seed) == ("model", {"size": 3}, 7)
    assert result.manifest.summary == {"letters": 3}
    assert (workspace.verified("model") / "data").read_text() == "new"
    assert partial(workspace) == []


def test_a_step_without_a_summary_has_an_empty_one(workspace):
    assert workspace.run_step("model", lambda folder: None, config={}).manifest.summary == {}


def test_an_unchanged_step_is_skipped(workspace):
    first, _ = run(workspace, config={"a": 1, "b": 2})
    again, held = run(workspace, content="other", config={"b": 2, "a": 1})
    assert again.skipped
    assert held == []
    assert again.manifest == first.manifest
    assert (workspace.folder("model") / "data").read_text() == "new"


@pytest.mark.parametrize("change", [{"config": {"size": 4}}, {"seed": 1}, {"inputs": {"file": "other hash"}}])
def test_another_config_seed_or_input_builds_anew(workspace, change):
    settings = {"config": {"size": 3}, "seed": 0, "inputs": {"file": "hash"}}
    run(workspace, content="old", **settings)
    result, held = run(workspace, **(settings | change))
    assert (result.skipped, held) == (False, [[]])
    assert (workspace.folder("model") / "data").read_text() == "new"
    assert run(workspace, **(settings | change))[0].skipped


def test_a_step_is_built_anew_when_the_content_of_an_artefact_that_it_reads_changes(workspace):
    run(workspace, "products", content="shoes")
    assert run(workspace, inputs=["products"])[0].manifest.inputs.keys() == {"products"}
    run(workspace, "products", content="shoes", seed=1)
    assert run(workspace, inputs=["products"])[0].skipped
    run(workspace, "products", content="hats", seed=2)
    assert not run(workspace, inputs=["products"])[0].skipped


def test_an_input_that_is_missing_is_refused(workspace):
    run(workspace, "products")
    with pytest.raises(WorkspaceError, match=r"must hold 'features'.*holds=\['products'\].*the step that makes"):
        run(workspace, inputs=["products", "features"])


def test_a_step_that_fails_leaves_the_old_artefact(workspace):
    run(workspace, content="old")
    fail(workspace, seed=1)
    assert (workspace.verified("model") / "data").read_text() == "old"
    assert run(workspace)[0].skipped


def test_a_step_that_fails_first_leaves_no_artefact(workspace):
    fail(workspace)
    assert not workspace.has("model")
    assert workspace.names() == []
    with pytest.raises(WorkspaceError, match="must hold 'model'"):
        workspace.verified("model")


def test_a_failed_step_finds_its_half_done_work_again(workspace):
    fail(workspace)
    result, held = run(workspace)
    assert held == [["checkpoint"]]
    assert result.manifest.files.keys() == {"checkpoint", "data"}
    assert partial(workspace) == []


@pytest.mark.parametrize("change", [{"config": {"a": 1}}, {"seed": 1}, {"inputs": {"file": "hash"}}])
def test_half_done_work_of_another_fingerprint_is_removed(workspace, change):
    fail(workspace)
    assert len(partial(workspace)) == 1
    fail(workspace, **change)
    assert len(partial(workspace)) == 1
    assert run(workspace)[1] == [[]]


def test_half_done_work_of_steps_whose_names_begin_alike_stays(workspace):
    fail(workspace, "model-large")
    fail(workspace, "model[a]")
    run(workspace, "model")
    assert len(partial(workspace)) == 2
    assert run(workspace, "model-large")[1] == [["checkpoint"]]
    assert run(workspace, "model[a]")[1] == [["checkpoint"]]


def test_a_kill_between_the_two_renames_is_mended(workspace):
    manifest = run(workspace)[0].manifest
    for look in (
        lambda: workspace.has("model"),
        lambda: workspace.manifest("model") == manifest,
        lambda: workspace.names() == ["model"],
        lambda: workspace.verified("model"),
        lambda: run(workspace)[0].skipped,
    ):
        workspace.folder("model").rename(workspace.path / ".partial" / "old.model")
        assert look()
        assert partial(workspace) == []


def test_a_kill_before_the_old_artefact_is_removed_keeps_the_new_one(workspace):
    run(workspace)
    old = workspace.path / ".partial" / "old.model"
    old.mkdir()
    (old / "data").write_text("old")
    assert (workspace.verified("model") / "data").read_text() == "new"
    run(workspace, content="newer", seed=1)
    assert (workspace.verified("model") / "data").read_text() == "newer"
    assert partial(workspace) == []


BUILD_AND_DIE = """
import os, signal, sys
from pathlib import Path
from aisle.workspace import Workspace

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def build(folder):
    (folder / "data").write_text("new")
    if sys.argv[2] == "while building":
        die()

rename, renames = Path.rename, []
def count(path, target):
    if len(renames) == int(sys.argv[3]):
        die()
    renames.append(target)
    return rename(path, target)

Path.rename = count
Workspace.open(Path(sys.argv[1])).run_step("model", build, config={}, seed=1)
"""


@pytest.mark.parametrize(
    ("moment", "renames", "held"),
    [
        ("while building", 0, ["data"]),
        ("renaming", 0, ["data", "manifest.json"]),
        ("renaming", 1, ["data", "manifest.json"]),
    ],
)
def test_a_killed_process_leaves_the_old_artefact_and_its_own_half_done_work(workspace, moment, renames, held):
    run(workspace, content="old")
    command = [sys.executable, "-c", BUILD_AND_DIE, workspace.path, moment, str(renames)]
    assert subprocess.run(command, check=False).returncode == -9
    assert (workspace.verified("model") / "data").read_text() == "old"
    result, found = run(workspace, content="newer", seed=1)
    assert found == [held]
    assert result.manifest.files.keys() == {"data"}
    assert (workspace.verified("model") / "data").read_text() == "newer"


def test_a_reader_that_looks_between_the_two_renames_waits_for_the_new_artefact(workspace):
    run(workspace, content="old")
    seen = []
    reader = Thread(target=lambda: seen.append((workspace.has("model"), workspace.manifest("model").seed)))
    rename = Path.rename

    def looked_at(path, target):
        if path.parent.name == ".partial":
            reader.start()
            reader.join(timeout=0.3)
        return rename(path, target)

    with patch.object(Path, "rename", looked_at):
        run(workspace, seed=1)
    reader.join()
    assert seen == [(True, 1)]
    assert (workspace.verified("model") / "data").read_text() == "new"


def test_only_one_process_may_write(workspace):
    run(workspace, content="old")
    with (workspace.path / ".lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(WorkspaceError, match=r"Only one process may write.*Wait for the other `aisle`"):
            run(workspace, seed=1)
        assert run(workspace)[0].skipped
        assert (workspace.verified("model") / "data").read_text() == "old"
    assert not run(workspace, seed=1)[0].skipped


def test_the_lock_is_given_back_by_a_step_that_fails(workspace):
    fail(workspace)
    assert not run(workspace)[0].skipped


def test_a_workspace_that_cannot_be_written_is_refused(workspace):
    (workspace.path / ".lock").mkdir()
    with pytest.raises(WorkspaceError, match=r"must be writable.*problem="):
        run(workspace)


def test_names_are_those_of_whole_artefacts(workspace):
    assert workspace.names() == []
    run(workspace, "products")
    run(workspace, "model")
    (workspace.path / "notes").mkdir()
    fail(workspace, "index")
    assert workspace.names() == ["model", "products"]


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_text("old")])
def test_an_artefact_with_another_file_than_was_written_is_not_verified(workspace, damage):
    run(workspace)
    damage(workspace.folder("model") / "data")
    with pytest.raises(WorkspaceError, match=r"as its manifest records it.*data'"):
        workspace.verified("model")


def test_an_artefact_without_manifest_is_built_anew(workspace):
    run(workspace)
    (workspace.folder("model") / "manifest.json").unlink()
    assert not workspace.has("model")
    assert not run(workspace)[0].skipped


def test_the_manifest_names_every_file_of_the_folder(workspace):
    def build(folder):
        (folder / "deep").mkdir()
        (folder / "deep" / "manifest.json").write_text("{}")

    workspace.run_step("index", build, config={})
    (workspace.folder("index") / "deep" / "manifest.json").write_text("[]")
    with pytest.raises(WorkspaceError, match="state='changed'"):
        workspace.verified("index")


def test_a_workspace_can_be_moved(workspace, tmp_path):
    run(workspace)
    workspace.path.rename(tmp_path / "moved")
    moved = Workspace.open(tmp_path / "moved")
    assert moved.verified("model") == tmp_path / "moved" / "model"
    assert run(moved)[0].skipped
    assert json.loads((tmp_path / "moved" / "workspace.json").read_text()) == {"format_version": FORMAT_VERSION}


def test_a_planned_workspace_is_made_by_its_first_step(tmp_path):
    planned = Workspace.plan(tmp_path / "shop")
    assert planned.names() == []
    assert not planned.has("products")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(WorkspaceError, match="empty or a new folder"):
        Workspace.plan(tmp_path / "full")
    later = Workspace.plan(tmp_path / "later")
    assert not (tmp_path / "later").exists()
    later.run_step("products", lambda folder: {}, config={})
    assert Workspace.open(tmp_path / "later").names() == ["products"]
    assert Workspace.plan(tmp_path / "later").names() == ["products"]
