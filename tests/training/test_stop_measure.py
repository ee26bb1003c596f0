"""What a run remembers of its validations and losses, and by which measure it keeps its weights."""

import numpy as np
import pytest

from aisle.training import train, trainer


@pytest.mark.parametrize(
    ("stop_measure", "best"), [(None, 9), ("R@100", 9), ("R@10", 6), ("nDCG@10", 3)], ids=lambda value: str(value)
)
def test_the_stop_measure_chooses_the_weights(make_model, make_config, data, tmp_path, monkeypatch, stop_measure, best):
    """Recall at 100 stays the result's recall, whatever chose the weights."""
    values = iter([(0.1, 0.1, 0.9), (0.8, 0.2, 0.1), (0.3, 0.7, 0.1), *[(0.0, 0.0, 0.0)] * 4])

    def measured(model, data, *, shallow, deep):
        assert (shallow, deep) == (10, 12)
        return dict(zip(("R@10", "R@100", "nDCG@10"), next(values), strict=True))

    monkeypatch.setattr(trainer, "validation_measures", measured)
    config = make_config(stop_measure=stop_measure, patience=4)
    result = train(make_model(text=False), data, config, folder=tmp_path, seed=1)
    assert (result.best_step, result.stop_measure) == (best, stop_measure or "R@100")
    row = next(row for row in result.history if row["step"] == best)
    assert result.recall == row["recall"] == row["R@100"] == result.measures["R@100"]
    assert result.measures == {name: row[name] for name in ("R@10", "R@100", "nDCG@10")}


def test_a_log_learnt_by_search_stops_by_recall_at_10(log_data, make_log_model, make_config, tmp_path):
    data, featuriser = log_data()
    result = train(make_log_model(featuriser), data, make_config(epochs=1), folder=tmp_path, seed=1)
    assert result.stop_measure == "R@10"
    assert {"loss_batch", "loss_uniform", "loss_ranking"} <= set(result.history[0])


def test_history_tells_what_each_source_came_to(make_model, make_config, data, tmp_path):
    result = train(make_model(text=False), data, make_config(), folder=tmp_path, seed=1)
    for row in result.history:
        assert row["loss_batch"] + 0.5 * row["loss_uniform"] == pytest.approx(row["loss"], rel=1e-5)


def test_the_loss_curve_averages_all_steps(make_model, make_config, data, tmp_path, monkeypatch):
    monkeypatch.setattr(trainer, "_MOST_POINTS", 4)
    result = train(make_model(text=False), data, make_config(), folder=tmp_path, seed=1)
    # 21 steps in blocks of six.
    assert [step for step, _ in result.loss_curve] == [6, 12, 18, 21]
    first_six = np.mean([row["loss"] for row in result.history[:2]])
    assert result.loss_curve[0][1] == pytest.approx(first_six)


def test_a_small_shop_gets_its_least_steps(make_model, make_config, data, tmp_path):
    result = train(make_model(text=False), data, make_config(epochs=1, min_steps=40), folder=tmp_path, seed=1)
    assert (result.steps, result.planned_steps, result.batch_size) == (42, 42, 16)
    # As many validations as in one epoch of seven steps: after 3, 6 and 7 of them.
    assert [row["step"] for row in result.history] == [18, 36, 42]
