"""A checkpoint that lies in the folder of another run: never used silently, never a traceback."""

import numpy as np
import pyarrow as pa
import pytest

from aisle.core.errors import WorkspaceError
from aisle.training import TrainingPairs, train
from aisle.training.checkpoint import Checkpoint


@pytest.fixture
def left(make_model, make_config, data, tmp_path):
    """Leave the checkpoint of a run of one epoch in the test's folder."""
    result = train(make_model(), data, make_config(epochs=1), folder=tmp_path, seed=1)
    return tmp_path, result


@pytest.mark.parametrize(
    ("change", "seed", "named"),
    [
        ({"temperature": 0.2}, 1, r"train\.temperature"),
        ({"stop_measure": "R@10"}, 1, r"train\.stop_measure"),
        ({}, 2, "seed"),
    ],
)
def test_what_differs_is_named(left, make_model, make_config, data, change, seed, named):
    folder, _ = left
    config = make_config(epochs=1, **change)
    with pytest.raises(WorkspaceError, match=rf"same recipe and data.*differs=\['{named}'\].*delete the checkpoint"):
        train(make_model(), data, config, folder=folder, seed=seed)


@pytest.mark.parametrize("parts", [{"term": False}, {"text": False}, {"fusion": "concat"}])
def test_other_parts_are_named(left, make_model, make_config, data, parts):
    folder, _ = left
    with pytest.raises(WorkspaceError, match=r"differs=\['towers\."):
        train(make_model(**parts), data, make_config(epochs=1), folder=folder, seed=1)


def test_other_data_are_named(left, make_model, make_config, write_data):
    folder, _ = left
    pairs = TrainingPairs.from_texts(pa.array(["red couch", "blue pew"]), np.array([0, 60]), np.ones(2, np.float32))
    with pytest.raises(WorkspaceError, match=r"differs=\['data\.pairs', 'data\.validation_queries'\]"):
        train(make_model(), write_data(pairs=pairs), make_config(epochs=1), folder=folder, seed=1)


def test_settings_that_change_no_weight_may_change(left, make_model, make_config, data):
    folder, expected = left
    result = train(make_model(), data, make_config(epochs=1, checkpoint_minutes=5.0), folder=folder, seed=1)
    assert result.history == expected.history


def test_weights_of_another_shape_are_refused(left, make_model, make_config, data):
    folder, _ = left
    saved = Checkpoint.read(folder)
    saved.network.popitem()
    saved.write(folder)
    with pytest.raises(WorkspaceError, match=r"must fit the model\. Received: folder=.*Delete it"):
        train(make_model(), data, make_config(epochs=1), folder=folder, seed=1)
