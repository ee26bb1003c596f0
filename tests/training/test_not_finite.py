import json

import numpy as np
import pytest
import torch

from aisle.core.errors import TrainingError
from aisle.training import train
from aisle.training.checkpoint import Checkpoint
from aisle.training.not_finite import forget_bad_batch
from aisle.training.trainer import Trainer


def plant(monkeypatch, step, before):
    """Do something to the trainer before one of its steps."""
    original = Trainer.step

    def planted(trainer, batch):
        if trainer.progress.step == step:
            before(trainer)
        return original(trainer, batch)

    monkeypatch.setattr(Trainer, "step", planted)


def infinite_gradient(trainer):
    trainer.model.network.term.table.weight.register_hook(lambda gradient: gradient * torch.inf)


def infinite_weights(trainer):
    next(trainer.model.network.fusion.parameters()).data.fill_(torch.inf)


def test_a_gradient_that_is_infinite_stops_the_run_before_it_is_learnt(make_model, make_config, data, tmp_path):
    config = make_config(checkpoint_minutes=1e-9)
    with pytest.MonkeyPatch.context() as patch:
        plant(patch, 5, infinite_gradient)
        with pytest.raises(
            TrainingError, match=r"must be finite\. Received: step=5, loss=.*learning_rates=\[.*bad_bat"
        ):
            train(make_model(), data, config, folder=tmp_path, seed=1)
    saved = Checkpoint.read(tmp_path)
    assert saved.progress.step == 5
    assert all(value.isfinite().all() for value in saved.network.values())
    resumed = make_model(seed=9)
    assert train(resumed, data, config, folder=tmp_path, seed=1).steps == 21
    unbroken = make_model()
    (tmp_path / "unbroken").mkdir()
    train(unbroken, data, config, folder=tmp_path / "unbroken", seed=1)
    for name, value in unbroken.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name])
    # A run that ended well leaves nothing of the bad step behind.
    assert not list(tmp_path.glob("bad_batch*"))


@pytest.fixture
def broken_log_run(log_data, make_log_model, make_config, tmp_path, monkeypatch):
    data, featuriser = log_data()
    plant(monkeypatch, 3, infinite_weights)
    config = make_config(dynamic_weight=0.5, hinge_weight=0.1, checkpoint_minutes=1e-9)
    with pytest.raises(TrainingError, match=r"step=3, loss=(nan|inf)"):
        train(make_log_model(featuriser), data, config, folder=tmp_path, seed=1)
    return data, tmp_path


def test_the_batch_of_a_loss_that_is_none_can_be_looked_at(broken_log_run):
    data, folder = broken_log_run
    arrays = np.load(folder / "bad_batch.npz", allow_pickle=False)
    told = json.loads((folder / "bad_batch.json").read_text())
    rows, columns = arrays["scores"].shape
    assert rows == len(arrays["query_index"]) == len(told["queries"]) == len(told["products"])
    assert columns == len(arrays["column_product_index"])
    assert not np.isfinite(arrays["scores"]).all()
    assert told["step"] == 3
    assert told["loss"] in {"nan", "inf"}
    assert told["snapshot"] in {1, 2, 3}
    assert told["rows_with_scores_not_finite"]
    first = int(arrays["query_index"][0]), int(arrays["product_index"][0])
    assert told["queries"][0] == data.pairs.queries[first[0]].as_py()
    assert told["products"][0] == f"p{first[1]}"
    assert Checkpoint.read(folder).progress.step == 3


def test_what_was_saved_is_forgotten(broken_log_run):
    _, folder = broken_log_run
    forget_bad_batch(folder)
    forget_bad_batch(folder)
    assert not list(folder.glob("bad_batch*"))
