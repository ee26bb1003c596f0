"""A training that is killed ends, run again, as one that was left in peace."""

import json
import signal
import subprocess
import sys
import time

import pytest

from aisle.training.checkpoint import Checkpoint
from aisle.workspace import Workspace, file_sha256

DEADLINE_S = 120


@pytest.fixture
def settings(tiny, set_options):
    """28 steps, each followed by a checkpoint; a validation after every fourth."""
    more = {"pairs__pseudo_per_product": 6, "train__validations_per_epoch": 7, "train__checkpoint_minutes": 1e-9}
    return set_options(tiny(train__patience=100, **more))


def kill_in_mid_epoch(process, workspace):
    """Kill a training once six of its checkpoints were seen: behind its first validation, long before its end."""
    seen, deadline = set(), time.monotonic() + DEADLINE_S
    while len(seen) < 6:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        seen |= {file.stat().st_mtime_ns for file in workspace.glob(".partial/model-*/checkpoint.pt")}
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=DEADLINE_S)
    assert process.returncode == -signal.SIGKILL


def outcome(path):
    """Return the weights' hash, the best step, and what every validation found."""
    folder = Workspace.open(path).verified("model")
    training = json.loads((folder / "training.json").read_text())
    history = [{name: row[name] for name in ("step", "loss", "recall")} for row in training["history"]]
    return file_sha256(folder / "model.safetensors"), training["best_step"], history


@pytest.mark.slow
def test_a_killed_training_ends_as_an_unbroken_one(aisle_json, import_shop, settings, tmp_path):
    broken, whole = (import_shop(tmp_path / name).path for name in ("broken", "whole"))
    command = [sys.executable, "-c", "from aisle.cli import main; main()", "train", "--workspace", str(broken)]
    process = subprocess.Popen([*command, *settings], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    kill_in_mid_epoch(process, broken)
    assert Workspace.open(broken).names() == ["features", "judgments", "products"]
    [partial] = broken.glob(".partial/model-*")
    before = Checkpoint.read(partial).progress
    assert before.step >= 6

    resumed = aisle_json("train", "--workspace", broken, *settings)
    assert resumed["skipped"] is False
    unbroken = aisle_json("train", "--workspace", whole, *settings)
    assert outcome(broken) == outcome(whole)
    assert (resumed["steps"], resumed["best_step"]) == (unbroken["steps"], unbroken["best_step"])
    # The times of the first try stand in the result only if the second went on from it.
    history = json.loads((broken / "model" / "training.json").read_text())["history"]
    assert history[: len(before.history)] == before.history
    assert len(history) == 7 > len(before.history) > 0
    assert list((broken / ".partial").glob("model-*")) == []
    assert aisle_json("train", "--workspace", broken, *settings)["skipped"] is True
