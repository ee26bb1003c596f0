import json
import shutil

import pytest

from aisle.core.errors import WorkspaceError
from aisle.encoders import TextEncoderConfig
from aisle.pipelines.checkpoints import PRETRAINED, checkpoint_hash, init_hash, with_own_checkpoint
from aisle.workspace import Workspace

OWN = TextEncoderConfig(init="pretrained")


@pytest.fixture
def workspace(tmp_path):
    """A workspace whose pre-trained encoder is two files."""
    opened = Workspace.open(tmp_path / "shop", create=True)

    def build(folder):
        (folder / "model.safetensors").write_bytes(b"weights")
        (folder / "pretraining.json").write_text("{}")

    opened.run_step(PRETRAINED, build, config={})
    return opened


def test_a_folder_is_known_by_its_content_and_a_hub_name_by_itself(tmp_path, checkpoint):
    folder = checkpoint(seed=1)
    shutil.copytree(folder, tmp_path / "copy")
    before = checkpoint_hash(folder)
    assert checkpoint_hash(tmp_path / "copy") == before
    (folder / "config.json").write_text(json.dumps({}))
    assert checkpoint_hash(folder) != before
    assert checkpoint_hash(tmp_path / "none").startswith("hub:")


def test_the_word_stands_for_the_workspaces_own_folder_while_it_is_loaded(workspace):
    assert with_own_checkpoint(workspace, OWN).init == str(workspace.folder(PRETRAINED))
    for other in (
        TextEncoderConfig(),
        TextEncoderConfig(init="./pretrained"),
        TextEncoderConfig(False, init="pretrained"),
    ):
        assert with_own_checkpoint(workspace, other) is other


def test_only_what_is_read_of_the_own_checkpoint_counts(workspace):
    before = init_hash(workspace, OWN)

    def build(folder):
        (folder / "model.safetensors").write_bytes(b"weights")
        (folder / "pretraining.json").write_text('{"minutes": 2}')

    workspace.run_step(PRETRAINED, build, config={"again": True})
    assert init_hash(workspace, OWN) == before
    workspace.run_step(
        PRETRAINED, lambda folder: (folder / "model.safetensors").write_bytes(b"other") and None, config={}
    )
    assert init_hash(workspace, OWN) != before


def test_what_was_not_pretrained_or_was_changed_is_refused(workspace, tmp_path):
    empty = Workspace.open(tmp_path / "empty", create=True)
    for call in (with_own_checkpoint, init_hash):
        with pytest.raises(WorkspaceError, match=r"must hold 'pretrained'.*`aisle pretrain`"):
            call(empty, OWN)
    (workspace.folder(PRETRAINED) / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(WorkspaceError, match=r"as its manifest records it\..*state='changed'"):
        with_own_checkpoint(workspace, OWN)
