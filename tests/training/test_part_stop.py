import dataclasses

import pytest
import torch

from aisle.core.config import config_from_dict
from aisle.core.errors import ConfigError
from aisle.encoders.config import HistoryEncoderConfig, TermEncoderConfig
from aisle.training import train
from aisle.training.part_stop import PartStop
from aisle.training.trainer import Trainer


def stopping(model, **shares):
    """Let parts of a model stop early."""
    parts = {name: dataclasses.replace(getattr(model.config, name), stop_share=share) for name, share in shares.items()}
    model.config = dataclasses.replace(model.config, **parts)
    return model


def weights_by_step(monkeypatch, name):
    """Note the bytes of one weight before every step."""
    seen, original = [], Trainer.step

    def noting(self, batch):
        seen.append(self.model.network.state_dict()[name].numpy().tobytes())
        return original(self, batch)

    monkeypatch.setattr(Trainer, "step", noting)
    return seen


@pytest.mark.parametrize(("part", "name"), [("term", "term.table.weight"), ("text", "text.projection.weight")])
def test_a_part_learns_until_its_share_and_then_stays(make_model, make_config, data, tmp_path, monkeypatch, part, name):
    seen = weights_by_step(monkeypatch, name)
    train(stopping(make_model(), **{part: 1 / 3}), data, make_config(), folder=tmp_path, seed=1)
    # 21 steps: the first seven move the part, the others leave it.
    assert len(set(seen[:8])) == 8
    assert set(seen[7:]) == {seen[7]}


def test_the_others_go_on(make_model, make_config, data, tmp_path, monkeypatch):
    seen = weights_by_step(monkeypatch, "text.projection.weight")
    train(stopping(make_model(), term=1 / 3), data, make_config(), folder=tmp_path, seed=1)
    assert len(set(seen)) == 21


def test_a_resumed_run_stops_its_parts_at_the_same_step(make_model, make_config, data, tmp_path):
    class KilledError(Exception):
        pass

    whole = stopping(make_model(dropout=0.2), term=0.25, text=0.75)
    (tmp_path / "whole").mkdir()
    train(whole, data, make_config(), folder=tmp_path / "whole", seed=1)
    original = Trainer.step
    for kill in (4, 10, 18):
        with pytest.MonkeyPatch.context() as patch:

            def step(self, batch, kill=kill):
                if self.progress.step == kill:
                    raise KilledError
                return original(self, batch)

            patch.setattr(Trainer, "step", step)
            broken = stopping(make_model(dropout=0.2, seed=0 if kill == 4 else kill), term=0.25, text=0.75)
            with pytest.raises(KilledError):
                train(broken, data, make_config(checkpoint_minutes=1e-9), folder=tmp_path, seed=1)
    last = stopping(make_model(dropout=0.2, seed=9), term=0.25, text=0.75)
    train(last, data, make_config(checkpoint_minutes=1e-9), folder=tmp_path, seed=1)
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, last.network.state_dict()[name]), name


def test_a_model_can_be_trained_again(make_model, make_config, data, tmp_path):
    model = stopping(make_model(), term=0.1, text=0.1)
    assert all(parameter.requires_grad for parameter in model.network.parameters())
    train(model, data, make_config(epochs=1), folder=tmp_path, seed=1)
    assert all(parameter.requires_grad for parameter in model.network.parameters())


def test_channels_of_a_log_stop_too(log_data, make_log_model):
    _, featuriser = log_data()
    model = stopping(make_log_model(featuriser), graph=0.5, context=0.5, history=0.25)
    stop = PartStop(model.network, model.config)

    def frozen():
        return {name.split(".")[0] for name, one in model.network.named_parameters() if not one.requires_grad}

    found = []
    for done in (0.2, 0.25, 0.5):
        stop.freeze(done)
        found.append(frozen())
    assert found == [set(), {"history"}, {"history", "graph", "context"}]
    stop.release()
    assert frozen() == set()


def test_what_was_never_trained_stays_so(make_model):
    model = stopping(make_model(), text=0.5)
    fixed = next(model.network.text.parameters()).requires_grad_(False)
    stop = PartStop(model.network, model.config)
    stop.freeze(0.5)
    stop.release()
    assert not fixed.requires_grad


@pytest.mark.parametrize("cls", [TermEncoderConfig, HistoryEncoderConfig])
@pytest.mark.parametrize("share", [0.0, 1.1])
def test_shares_lie_above_0_and_up_to_1(cls, share):
    with pytest.raises(ConfigError, match="stop_share: "):
        config_from_dict(cls, {"stop_share": share})
