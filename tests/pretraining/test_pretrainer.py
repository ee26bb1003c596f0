import dataclasses

import pytest
import torch

from aisle.core.errors import TrainingError, WorkspaceError
from aisle.pretraining import Pretrainer, pretrainer
from aisle.training.checkpoint import Checkpoint


class KilledError(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def start(make_pretrain_config, make_pretrain_data, make_network, tmp_path):
    """Make a pre-trainer of a network of its own; settings by name."""

    def begin(*, seed=1, inputs=None, folder=tmp_path, **changes):
        config = make_pretrain_config(**changes)
        network = make_network(writes=bool(config.sequence_weight))
        folder.mkdir(exist_ok=True)
        data = make_pretrain_data(config)
        return Pretrainer(network, data, config, folder=folder, seed=seed, inputs=inputs or {"texts": "a"})

    return begin


def weights_of(trainer):
    return {name: value.clone() for name, value in trainer.network.state_dict().items()}


def assert_same_weights(one, other):
    for name, value in one.items():
        assert value.numpy().tobytes() == other[name].numpy().tobytes(), name


def without_times(history):
    return [{name: value for name, value in row.items() if name != "elapsed_s"} for row in history]


@pytest.mark.parametrize("objective", ["masked", "contrastive", "sequence"])
def test_each_objective_alone_is_learnt_on_texts_that_were_not_shown(start, objective):
    off = {f"{name}_weight": 0.0 for name in ("masked", "contrastive", "sequence") if name != objective}
    trainer = start(max_steps=150, validation_steps=50, learning_rate=1e-2, head_learning_rate=1e-2, **off)
    before = weights_of(trainer)
    result = trainer.run()
    (name,) = result.measures
    assert result.measures[name] > result.history[0][name] + 0.15
    losses = [row[f"loss_{objective}"] for row in result.history[1:]]
    assert losses[-1] < losses[0]
    assert any((before[key] != value).any() for key, value in weights_of(trainer).items())


def test_result_tells_what_was_done(start):
    result = start().run()
    assert (result.steps, result.planned_steps) == (30, 30)
    assert [row["step"] for row in result.history] == [0, 10, 20, 30]
    assert {"loss_masked", "loss_contrastive", "loss_sequence"} <= result.history[1].keys()
    best = max(result.history, key=lambda row: sum(row[name] for name in result.measures))
    assert result.best_step == best["step"]
    assert result.measures == {name: best[name] for name in result.measures}
    assert len(result.loss_curve) == 30
    assert result.texts_s > 0


def test_the_weights_of_the_best_validation_are_kept(start, monkeypatch):
    values = iter([0.1, 0.5, 0.3, 0.2])
    monkeypatch.setattr(pretrainer, "held_out_measures", lambda *_, **__: {"masked_accuracy": next(values)})
    trainer = start()
    seen = {}
    original = Pretrainer._validate

    def noting(self):
        seen[self.progress.step] = weights_of(self)
        original(self)

    monkeypatch.setattr(Pretrainer, "_validate", noting)
    assert trainer.run().best_step == 10
    assert_same_weights(seen[10], weights_of(trainer))


def test_it_stops_after_validations_without_a_new_best(start, monkeypatch):
    monkeypatch.setattr(pretrainer, "held_out_measures", lambda *_, **__: {"masked_accuracy": 0.5})
    result = start(max_steps=1000, patience=2).run()
    assert (result.steps, result.best_step) == (20, 0)


def test_a_run_ends_with_its_time(start, monkeypatch):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    clock, original = Clock(), Pretrainer.step

    def slow(self):
        clock.now += 1.0
        return original(self)

    monkeypatch.setattr(pretrainer, "time", clock)
    monkeypatch.setattr(Pretrainer, "step", slow)
    # 54 s of steps and a tenth for validations.
    assert start(max_minutes=1.0, max_steps=1000, validation_steps=100).run().planned_steps == 54


@pytest.mark.parametrize("killed_at", [10, 17])
def test_a_killed_and_resumed_run_equals_an_unbroken_one(start, monkeypatch, tmp_path, killed_at):
    whole = start(folder=tmp_path / "whole")
    expected = whole.run()
    original = Pretrainer.step

    def killed(self):
        if self.progress.step == killed_at:
            raise KilledError
        return original(self)

    monkeypatch.setattr(Pretrainer, "step", killed)
    with pytest.raises(KilledError):
        start(checkpoint_minutes=1e-9).run()
    monkeypatch.setattr(Pretrainer, "step", original)
    resumed = start()
    assert resumed.progress.step == killed_at
    result = resumed.run()
    assert without_times(result.history) == without_times(expected.history)
    assert_same_weights(weights_of(whole), weights_of(resumed))


@pytest.mark.parametrize(
    ("changes", "differs"),
    [
        ({"inputs": {"texts": "b"}}, "inputs.texts"),
        ({"inputs": {"texts": "a", "vocabulary": "other"}}, "inputs.vocabulary"),
        ({"mask_share": 0.2}, "pretrain.mask_share"),
        ({"seed": 2}, "seed"),
    ],
)
def test_a_checkpoint_of_another_recipe_or_tokenizer_is_refused(start, changes, differs):
    start()._checkpoint()
    with pytest.raises(WorkspaceError, match=rf"same recipe and data\..*differs=\['{differs}'\]"):
        start(**changes)


def test_a_checkpoint_of_another_network_is_refused(start, tmp_path):
    trainer = start()
    saved = Checkpoint(trainer.progress, {"weight": torch.zeros(1)}, {}, [], recipe=trainer._recipe())
    saved.write(tmp_path)
    with pytest.raises(WorkspaceError, match="must be of the same network"):
        start()


def test_a_loss_that_is_no_number_stops_the_run_and_teaches_nothing(start):
    trainer = start()
    with torch.no_grad():
        trainer.network.guesser.bias[0] = float("nan")
    before = weights_of(trainer)
    with pytest.raises(TrainingError, match=r"must be finite\. Received: step=0, losses=\{'masked': nan"):
        trainer.step()
    assert_same_weights({name: value for name, value in before.items() if name != "guesser.bias"}, weights_of(trainer))


def test_heads_and_transformer_have_step_sizes_of_their_own(start):
    trainer = start(learning_rate=2e-4, head_learning_rate=3e-3, weight_decay=0.1)
    groups = {(group["lr"], group["weight_decay"]): group["params"] for group in trainer.optimiser.param_groups}
    assert groups.keys() == {(2e-4, 0.1), (2e-4, 0.0), (3e-3, 0.1), (3e-3, 0.0)}
    assert any(parameter is trainer.network.table for parameter in groups[(2e-4, 0.0)])
    learnt = {id(parameter) for group in groups.values() for parameter in group}
    assert {id(parameter) for parameter in trainer.network.transformer.parameters()} <= learnt


def test_random_numbers_of_the_caller_stay_as_they_are(start):
    trainer = start(max_steps=2)
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    assert dataclasses.is_dataclass(trainer.run())
    torch.testing.assert_close(torch.rand(3), expected)
