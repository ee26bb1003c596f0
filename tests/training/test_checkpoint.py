import pathlib
import random

import pytest
import torch

from aisle.core.errors import WorkspaceError
from aisle.training.checkpoint import Checkpoint, Progress


def checkpoint_of(step=3, value=1.0):
    weight = torch.full((40, 8), value)
    weight[0, 0] = torch.nan
    return Checkpoint(
        Progress(
            step=step,
            elapsed_s=2.5,
            train_s=2.0,
            planned_steps=9,
            best_value=0.5,
            best_step=2,
            misses=1,
            losses=[0.1 + 0.2],
            history=[{"step": 2, "recall": 0.5}],
        ),
        {"a.weight": weight, "b": torch.tensor([1, 2])},
        {"a.weight": torch.zeros(2)},
        [{"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 0.1, "params": [0]}]}],
    )


def test_what_was_written_is_read(tmp_path):
    written = checkpoint_of()
    written.write(tmp_path)
    read = Checkpoint.read(tmp_path)
    assert read.progress == written.progress
    assert list(read.network) == ["a.weight", "b"]
    assert torch.equal(read.network["a.weight"].nan_to_num(7), written.network["a.weight"].nan_to_num(7))
    assert torch.equal(read.network["b"], torch.tensor([1, 2]))
    assert torch.equal(read.best["a.weight"], torch.zeros(2))
    assert read.optimisers[0]["param_groups"] == [{"lr": 0.1, "params": [0]}]
    assert read.optimisers[0]["state"][0]["step"] == 3.0


def test_a_folder_without_one_has_none(tmp_path):
    assert Checkpoint.read(tmp_path) is None


def test_the_last_one_stands(tmp_path):
    checkpoint_of(step=3).write(tmp_path)
    checkpoint_of(step=4).write(tmp_path)
    assert Checkpoint.read(tmp_path).progress.step == 4
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.pt"]


def test_a_kill_while_writing_leaves_the_one_before(tmp_path, monkeypatch):
    checkpoint_of(step=3).write(tmp_path)

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pathlib.Path, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            checkpoint_of(step=4).write(tmp_path)
    assert (tmp_path / "checkpoint.pt.tmp").exists()
    assert Checkpoint.read(tmp_path).progress.step == 3


def test_remove_leaves_nothing_of_it(tmp_path):
    checkpoint_of().write(tmp_path)
    (tmp_path / "checkpoint.pt.tmp").write_bytes(b"half")
    (tmp_path / "other").write_bytes(b"stays")
    Checkpoint.remove(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["other"]
    Checkpoint.remove(tmp_path)


def test_a_checkpoint_cut_anywhere_is_refused(tmp_path):
    checkpoint_of().write(tmp_path)
    path = tmp_path / "checkpoint.pt"
    whole = path.read_bytes()
    for length in range(0, len(whole), 53):
        path.write_bytes(whole[:length])
        with pytest.raises(WorkspaceError, match=r"must be readable.*checkpoint\.pt.*Delete it"):
            Checkpoint.read(tmp_path)


def test_a_flipped_bit_is_refused_or_harmless(tmp_path):
    checkpoint_of().write(tmp_path)
    path = tmp_path / "checkpoint.pt"
    whole, rng, num_refused = path.read_bytes(), random.Random(4), 0
    for _ in range(150):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            read = Checkpoint.read(tmp_path)
        except WorkspaceError:
            num_refused += 1
        else:
            assert read.progress == checkpoint_of().progress
            assert torch.equal(read.network["a.weight"][1:], torch.ones(39, 8))
    assert num_refused > 75


@pytest.mark.parametrize("content", [{}, [1], {"progress": {}}, {"progress": {"speed": 1}}])
def test_another_file_in_its_place_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "checkpoint.pt")
    with pytest.raises(WorkspaceError, match="must be readable"):
        Checkpoint.read(tmp_path)


def test_code_in_a_checkpoint_is_not_run(tmp_path):
    torch.save({"progress": pathlib.PurePosixPath("x")}, tmp_path / "checkpoint.pt")
    with pytest.raises(WorkspaceError, match="must be readable"):
        Checkpoint.read(tmp_path)
