"""Settings of how a step is computed, which change nothing of what is learnt."""

import pytest
import torch

from aisle.core.errors import TrainingError
from aisle.training.processes import Processes
from aisle.training.trainer import Trainer


def weights_of(model):
    return {name: value.clone() for name, value in model.network.state_dict().items()}


def test_whole_gradients_of_tables_teach_the_same_as_sparse_ones(make_model, make_config, data, tmp_path):
    """Rows without a gradient stay where they are, momentum or not."""
    weights = []
    for sparse in (True, False):
        model = make_model(text=False)
        trainer = Trainer(model, data, make_config(sparse_gradients=sparse), folder=tmp_path, seed=1)
        for number in range(5):
            trainer.step(trainer.batches.batch(number))
        assert model.network.term.table.sparse == sparse
        weights.append(weights_of(model))
    begin, (one, other) = weights_of(make_model(text=False)), weights
    assert all(torch.allclose(value, other[name], atol=1e-4) for name, value in one.items())
    moved = [(table["term.table.weight"] != begin["term.table.weight"]).any(dim=1) for table in weights]
    assert torch.equal(*moved)
    assert 0 < moved[0].sum() < len(moved[0])


def test_chunks_teach_the_same_as_the_whole_batch(make_model, make_config, data, tmp_path):
    gradients = []
    for chunk_size in (0, 5):
        model = make_model()
        trainer = Trainer(model, data, make_config(chunk_size=chunk_size), folder=tmp_path, seed=1)
        trainer.optimisers.step = lambda factor: None
        trainer.step(trainer.batches.batch(0))
        found = {name: one.grad for name, one in model.network.named_parameters() if one.grad is not None}
        gradients.append({name: one.to_dense() for name, one in found.items()})
    whole, chunked = gradients
    assert whole.keys() == chunked.keys()
    assert all(torch.allclose(chunked[name], gradient, atol=1e-5) for name, gradient in whole.items())
    assert any(gradient.any() for gradient in whole.values())


def test_processes_that_read_other_checkpoints_are_told(make_model, make_config, data, tmp_path, monkeypatch):
    monkeypatch.setattr(Processes, "from_main", lambda self, value: 7 if value == 0 else value)
    with pytest.raises(TrainingError, match=r"same checkpoint.*step=0, step_of_first_process=7.*machines share"):
        Trainer(make_model(), data, make_config(), folder=tmp_path, seed=1)
