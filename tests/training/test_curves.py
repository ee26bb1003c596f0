import sys

import pytest
import torch

from aisle.core.errors import UsageError
from aisle.towers import ConcatFusion, PostFusion
from aisle.training import train
from aisle.training.curves import Curves, gate_means


def scalars(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    return {name: [(one.step, one.value) for one in events.Scalars(name)] for name in events.Tags()["scalars"]}


def test_without_a_folder_nothing_is_due():
    with Curves(None, first_step=0) as curves:
        curves.add(0, {"loss": 1.0})
        assert not curves.is_due(0)


def test_a_missing_package_is_told(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(UsageError, match=r"needs the package tensorboard.*pip install 'aisle\[train\]'"):
        Curves(tmp_path, first_step=0)


def test_a_run_goes_on_where_it_was_killed(tmp_path):
    pytest.importorskip("tensorboard")
    with Curves(tmp_path, first_step=0) as curves:
        assert [step for step in range(25) if curves.is_due(step)] == [0, 10, 20]
        for step in (0, 10, 20):
            curves.add(step, {"loss": float(step)})
    with Curves(tmp_path, first_step=15) as curves:
        curves.add(20, {"loss": 7.0})
    assert scalars(tmp_path) == {"loss": [(0, 0.0), (10, 10.0), (20, 7.0)]}


def test_training_writes_losses_rates_gates_and_measures(make_model, make_config, data, tmp_path):
    pytest.importorskip("tensorboard")
    for name, is_on in (("on", True), ("off", False)):
        (tmp_path / name).mkdir()
        config = make_config(tensorboard=is_on)
        result = train(make_model(), data, config, folder=tmp_path / name, seed=1, runs=tmp_path / f"runs-{name}")
    found = scalars(tmp_path / "runs-on")
    assert not (tmp_path / "runs-off").exists()
    assert [step for step, _ in found["loss"]] == [0, 10, 20]
    losses = found["loss/batch"], found["loss/uniform"], found["loss"]
    for (_, batch), (_, uniform), (_, total) in zip(*losses, strict=True):
        assert batch + 0.5 * uniform == pytest.approx(total, rel=1e-5)
    assert found["learning_rate/term table"][1][1] < 0.02
    assert {"learning_rate/text", "learning_rate/fusion", "pairs_s", "gate/term", "gate/text"} < set(found)
    assert found["gate/term"][0][1] + found["gate/text"][0][1] == pytest.approx(1.0, abs=1e-5)
    measured = [(row["step"], pytest.approx(row["nDCG@10"])) for row in result.history]
    assert found["validation/nDCG@10"] == measured


def test_gates_are_the_norms_of_the_pieces():
    queries = torch.tensor([[0.3, 0.4, 0.5], [0.0, 1.0, 0.0]])
    assert gate_means(PostFusion({"term": 2, "text": 1}), queries) == pytest.approx({"term": 0.75, "text": 0.25})
    assert gate_means(ConcatFusion({"term": 2, "text": 1}), queries) == {}
