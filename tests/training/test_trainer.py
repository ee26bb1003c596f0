import dataclasses

import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.core.errors import UsageError, WorkspaceError
from aisle.measures import Qrels
from aisle.training import TrainingPairs, train, trainer
from aisle.training.checkpoint import Checkpoint
from aisle.training.trainer import Trainer
from aisle.training.validation import validation_measures


class KilledError(Exception):
    """Stands for the end of the process."""


def kill_at(monkeypatch, step):
    """Let the run end before that step, once."""
    original = Trainer.step

    def killed(self, batch):
        if self.progress.step == step:
            raise KilledError
        return original(self, batch)

    monkeypatch.setattr(Trainer, "step", killed)


def weights_of(model):
    return {name: value.clone() for name, value in model.network.state_dict().items()}


def assert_same_weights(one, other):
    assert list(one) == list(other)
    for name, value in one.items():
        assert value.numpy().tobytes() == other[name].numpy().tobytes(), name


def without_times(history):
    return [{name: value for name, value in row.items() if name != "elapsed_s"} for row in history]


def recall_at(model, data, places):
    return validation_measures(model, data, deep=places)["R@100"]


def measures_of(value):
    return {"R@10": 0.1, "R@100": value, "nDCG@10": 0.2}


def validations_give(monkeypatch, *values):
    """Replace validation by a list of recalls at 100, the last of which repeats."""
    left = list(values)
    monkeypatch.setattr(
        trainer,
        "validation_measures",
        lambda model, data, *, shallow, deep: measures_of(left.pop(0) if len(left) > 1 else left[0]),
    )


class Clock:
    """Stands for `time`; it only moves when it is told to."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(trainer, "time", clock)
    return clock


def steps_take(monkeypatch, clock, seconds):
    original = Trainer.step

    def slow(self, batch):
        clock.now += seconds
        return original(self, batch)

    monkeypatch.setattr(Trainer, "step", slow)


PARTS = [
    pytest.param({"text": False}, id="term-post"),
    pytest.param({"text": False, "fusion": "concat"}, id="term-concat"),
    pytest.param({"term": False}, id="text-post"),
    pytest.param({"dropout": 0.1}, id="both-post"),
    pytest.param({"fusion": "concat"}, id="both-concat"),
]


def measure_at(monkeypatch, places):
    """Validate on fewer places than the trainer takes of so small a catalogue."""
    monkeypatch.setattr(trainer, "places_of", lambda k, num_products: places)


@pytest.mark.parametrize("parts", PARTS)
@pytest.mark.parametrize("bf16", [False, True])
def test_training_teaches_what_no_text_says(make_model, make_config, data, tmp_path, monkeypatch, parts, bf16):
    """Shoppers' words stand in no product: an untrained model finds them by colour alone."""
    measure_at(monkeypatch, 3)
    model = make_model(**parts)
    before = recall_at(model, data, 3)
    result = train(model, data, make_config(epochs=12, bf16=bf16), folder=tmp_path, seed=1)
    assert before < 0.25
    assert result.recall > before + 0.3
    assert recall_at(model, data, 3) == result.recall
    losses = [row["loss"] for row in result.history]
    assert np.isfinite(losses).all()
    assert losses[-1] < 0.6 * losses[0]
    assert all(value.isfinite().all() for value in model.network.state_dict().values())


def test_result_tells_what_was_done(make_model, make_config, data, tmp_path, monkeypatch, clock):
    steps_take(monkeypatch, clock, 2.0)
    validations_give(monkeypatch, 0.25, 0.75, 0.5)
    result = train(make_model(text=False), data, make_config(), folder=tmp_path, seed=1)
    # 120 pairs give 7 steps of 16 per epoch; 3 epochs; a validation every 7 // 2 = 3 steps and at the end.
    assert [row["step"] for row in result.history] == [3, 6, 9, 12, 15, 18, 21]
    assert [row["recall"] for row in result.history] == [0.25, 0.75, 0.5, 0.5, 0.5, 0.5, 0.5]
    assert [row["elapsed_s"] for row in result.history] == [6, 12, 18, 24, 30, 36, 42]
    assert (result.steps, result.recall, result.best_step) == (21, 0.75, 6)
    assert result.pairs_s == pytest.approx(8.0)
    # One query, its product, and a share of the 16 uniform columns of a batch of 16, but for those that are positives.
    assert 2.5 < result.encodes_per_pair < 3.0
    assert result.minutes == pytest.approx(0.7)


@pytest.mark.parametrize(("num_uniform", "uniform_weight", "encodes"), [(500, 0.5, 1 + 120 / 16), (16, 0.0, 2.0)])
def test_encodes_count_the_distinct_columns_that_there_are(
    make_model, make_config, data, tmp_path, num_uniform, uniform_weight, encodes
):
    config = make_config(epochs=1, num_uniform=num_uniform, uniform_weight=uniform_weight)
    found = train(make_model(text=False), data, config, folder=tmp_path, seed=1).encodes_per_pair
    # A few queries stand twice in a batch.
    assert encodes - 0.25 < found <= encodes


def test_history_holds_the_mean_loss_since_the_validation_before(make_model, make_config, data, tmp_path, monkeypatch):
    losses, original = [], Trainer.step

    def noting(self, batch):
        losses.append(original(self, batch))
        return losses[-1]

    monkeypatch.setattr(Trainer, "step", noting)
    result = train(make_model(text=False), data, make_config(), folder=tmp_path, seed=1)
    assert len(losses) == 21
    expected = [np.mean(losses[start : start + 3]) for start in range(0, 21, 3)]
    assert [row["loss"] for row in result.history] == pytest.approx(expected)


def test_the_same_seed_gives_the_same_model_and_another_does_not(make_model, make_config, data, tmp_path):
    models = [make_model(dropout=0.2) for _ in range(3)]
    for number, (model, seed) in enumerate(zip(models, (1, 1, 2), strict=True)):
        folder = tmp_path / str(number)
        folder.mkdir()
        train(model, data, make_config(epochs=1), folder=folder, seed=seed)
    assert_same_weights(weights_of(models[0]), weights_of(models[1]))
    assert any(not torch.equal(value, weights_of(models[2])[name]) for name, value in weights_of(models[0]).items())


@pytest.mark.parametrize(
    ("parts", "bf16"),
    [
        ({"text": False}, False),
        ({"term": False, "dropout": 0.3}, True),
        ({"dropout": 0.3}, False),
        ({"fusion": "concat", "dropout": 0.3}, True),
    ],
)
@pytest.mark.parametrize(
    ("checkpoint_minutes", "kills"),
    [
        pytest.param(1e-9, [11], id="after every step"),
        pytest.param(1000.0, [11, 17], id="after validations, killed twice"),
        pytest.param(1e-9, [20], id="before the last step, once steps are planned"),
    ],
)
def test_a_killed_and_resumed_run_ends_as_an_unbroken_one(
    make_model, make_config, data, tmp_path, parts, bf16, checkpoint_minutes, kills
):
    unbroken = make_model(**parts)
    (tmp_path / "unbroken").mkdir()
    expected = train(unbroken, data, make_config(bf16=bf16), folder=tmp_path / "unbroken", seed=1)
    folder = tmp_path / "broken"
    folder.mkdir()
    config = make_config(bf16=bf16, checkpoint_minutes=checkpoint_minutes)
    for number, step in enumerate(kills):
        with pytest.MonkeyPatch.context() as patch:
            kill_at(patch, step)
            with pytest.raises(KilledError):
                train(make_model(**parts, seed=7 * number), data, config, folder=folder, seed=1)
    # Other weights at the start, and another state of torch's stream: all has to come from the checkpoint.
    resumed = make_model(**parts, seed=99)
    result = train(resumed, data, config, folder=folder, seed=1)
    assert_same_weights(weights_of(resumed), weights_of(unbroken))
    assert without_times(result.history) == without_times(expected.history)
    assert (result.steps, result.best_step, result.recall) == (expected.steps, expected.best_step, expected.recall)
    ends = [Checkpoint.read(path) for path in (folder, tmp_path / "unbroken")]
    assert_same_weights(ends[0].network, ends[1].network)


def test_a_run_resumed_after_its_end_only_returns_the_best(make_model, make_config, data, tmp_path, monkeypatch):
    first = make_model()
    expected = train(first, data, make_config(), folder=tmp_path, seed=1)
    kill_at(monkeypatch, expected.steps)
    again = make_model(seed=99)
    result = train(again, data, make_config(), folder=tmp_path, seed=1)
    assert_same_weights(weights_of(again), weights_of(first))
    assert result.history == expected.history
    assert (result.recall, result.best_step, result.steps) == (expected.recall, expected.best_step, expected.steps)
    assert result.pairs_s == pytest.approx(expected.pairs_s)


def test_a_run_resumed_after_its_early_stop_stays_stopped(make_model, make_config, data, tmp_path, monkeypatch):
    validations_give(monkeypatch, 0.5, 0.4)
    config = make_config(patience=2)
    expected = train(make_model(text=False), data, config, folder=tmp_path, seed=1)
    result = train(make_model(text=False), data, config, folder=tmp_path, seed=1)
    assert result.steps == expected.steps == 9


def test_a_resumed_run_adds_to_its_time(make_model, make_config, data, tmp_path, monkeypatch, clock):
    steps_take(monkeypatch, clock, 2.0)
    with pytest.MonkeyPatch.context() as patch:
        kill_at(patch, 10)
        with pytest.raises(KilledError):
            train(make_model(text=False), data, make_config(), folder=tmp_path, seed=1)
    clock.now += 5000.0
    result = train(make_model(text=False), data, make_config(), folder=tmp_path, seed=1)
    assert result.minutes == pytest.approx(42 / 60)
    assert result.pairs_s == pytest.approx(8.0)


def test_training_stops_after_as_many_misses_as_patience_allows(make_model, make_config, data, tmp_path, monkeypatch):
    validations_give(monkeypatch, 0.2, 0.3, 0.3, 0.1, 0.9)
    result = train(make_model(text=False), data, make_config(patience=2), folder=tmp_path, seed=1)
    assert [row["recall"] for row in result.history] == [0.2, 0.3, 0.3, 0.1]
    assert (result.steps, result.best_step, result.recall) == (12, 6, 0.3)


def test_a_new_best_renews_the_patience(make_model, make_config, data, tmp_path, monkeypatch):
    validations_give(monkeypatch, 0.3, 0.2, 0.4, 0.3, 0.5, 0.1, 0.1)
    result = train(make_model(text=False), data, make_config(patience=2), folder=tmp_path, seed=1)
    assert (result.steps, result.best_step) == (21, 15)


def test_weights_of_the_best_validation_are_kept(make_model, make_config, data, tmp_path, monkeypatch):
    seen, values = [], iter([0.2, 0.1, 0.7, 0.7, 0.3, 0.3, 0.3])

    def noting(model, data, *, shallow, deep):
        seen.append(weights_of(model))
        return measures_of(next(values))

    monkeypatch.setattr(trainer, "validation_measures", noting)
    model = make_model()
    result = train(model, data, make_config(), folder=tmp_path, seed=1)
    assert result.best_step == 9
    assert_same_weights(weights_of(model), seen[2])
    assert not torch.equal(seen[2]["term.table.weight"], seen[3]["term.table.weight"])


def test_steps_that_fit_into_the_bound_are_planned(make_model, make_config, data, tmp_path, monkeypatch, clock):
    """100 epochs are 700 steps; at 1 s each, nine tenths of a minute hold 54."""
    steps_take(monkeypatch, clock, 1.0)
    factors = []
    monkeypatch.setattr(trainer.Optimisers, "step", lambda self, factor: factors.append(factor))
    result = train(make_model(text=False), data, make_config(epochs=100, max_minutes=1.0), folder=tmp_path, seed=1)
    assert result.steps == 54
    assert result.history[-1]["step"] == 54
    assert result.minutes <= 1.0
    assert factors[-1] == 0.05
    assert factors[22] > 0.5


def test_slow_validations_do_not_break_the_bound(make_model, make_config, data, tmp_path, monkeypatch, clock):
    steps_take(monkeypatch, clock, 1.0)

    def slow(model, data, *, shallow, deep):
        clock.now += 30.0
        return measures_of(0.5)

    monkeypatch.setattr(trainer, "validation_measures", slow)
    result = train(make_model(text=False), data, make_config(max_minutes=1.0), folder=tmp_path, seed=1)
    # Two validations, after 3 and 6 steps, take the minute.
    assert (result.steps, len(result.history)) == (6, 2)
    assert result.minutes == pytest.approx(66 / 60)


def test_time_that_runs_out_early_still_leaves_one_validation(
    make_model, make_config, data, tmp_path, monkeypatch, clock
):
    steps_take(monkeypatch, clock, 500.0)
    result = train(
        make_model(text=False), data, make_config(max_minutes=1.0, validations_per_epoch=1), folder=tmp_path, seed=1
    )
    assert (result.steps, result.best_step) == (7, 7)
    assert result.recall > 0


def test_a_plan_outlives_a_kill(make_model, make_config, data, tmp_path, monkeypatch, clock):
    config = make_config(epochs=100, max_minutes=1.0, checkpoint_minutes=1e-9)
    with pytest.MonkeyPatch.context() as patch:
        steps_take(patch, clock, 1.0)
        kill_at(patch, 25)
        with pytest.raises(KilledError):
            train(make_model(text=False), data, config, folder=tmp_path, seed=1)
    # A machine that is faster now would plan more steps.
    steps_take(monkeypatch, clock, 0.01)
    assert train(make_model(text=False), data, config, folder=tmp_path, seed=1).steps == 54


def test_checkpoints_are_written_as_often_as_asked(make_model, make_config, data, tmp_path, monkeypatch, clock):
    steps_take(monkeypatch, clock, 60.0)
    written = []
    monkeypatch.setattr(Checkpoint, "write", lambda self, folder: written.append(self.progress.step))
    config = make_config(checkpoint_minutes=1.5, validations_per_epoch=1)
    train(make_model(text=False), data, config, folder=tmp_path, seed=1)
    # Every second step, counted from the last one, and after the validations of steps 7, 14 and 21.
    assert written == [2, 4, 6, 7, 9, 11, 13, 14, 16, 18, 20, 21]


def test_the_loss_is_as_exact_in_bfloat16_where_no_layer_runs_in_it(make_model, make_config, data, tmp_path):
    """Scores are multiplied in float32: rounded to 8 bits they would be off by 0.1 at a temperature of 1/30."""
    losses = []
    for bf16 in (False, True):
        config = make_config(temperature=1 / 30, bf16=bf16)
        one = Trainer(make_model(text=False), data, config, folder=tmp_path, seed=1)
        losses.append(one.step(one.batches.batch(0)))
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)


def test_the_loss_of_a_step_is_the_formula(make_model, make_config, data, tmp_path):
    """Each source: log(1 + Σ over unmasked columns of e^((s − s⁺)/τ) / expected count), averaged by weight."""
    config = make_config(temperature=0.2, batch_weight=0.7, uniform_weight=0.3, num_uniform=60)
    model = make_model()
    one = Trainer(model, data, config, folder=tmp_path, seed=1)
    batch = one.batches.batch(0)
    assert batch.batch_masked.sum() > 16
    assert batch.uniform_masked.any()
    queries = model.encode_query_features(data.query_features.take(batch.query_index)).astype(np.float64)
    vectors = model.encode_product_features(data.product_features)
    scores = queries @ vectors.T
    own = scores[np.arange(16), batch.product_index][:, None]

    def source(columns, masked, count):
        terms = np.exp((scores[:, columns] - own) / 0.2) / count
        return np.average(np.log1p((terms * ~masked.numpy()).sum(1)), weights=batch.weight)

    count = np.exp(batch.log_sampling.numpy().astype(np.float64))
    expected = 0.7 * source(batch.product_index, batch.batch_masked, count)
    expected += 0.3 * source(batch.uniform_index, batch.uniform_masked, 1.0)
    assert one.step(batch) == pytest.approx(expected, rel=1e-5)


def test_weights_of_pairs_count_in_the_loss(make_model, make_config, data, tmp_path):
    model = make_model(text=False)
    one = Trainer(model, data, make_config(), folder=tmp_path, seed=1)
    batch = one.batches.batch(0)
    heavy = dataclasses.replace(batch, weight=np.where(np.arange(16) == 3, 1.0, 0.0).astype(np.float32))
    alone = dataclasses.replace(heavy, weight=heavy.weight * 0.25)
    start = weights_of(model)

    def loss_of(batch):
        model.network.load_state_dict(start)
        return one.step(batch)

    assert loss_of(heavy) == pytest.approx(loss_of(alone))
    assert loss_of(heavy) != pytest.approx(loss_of(batch))


def test_torch_stream_of_the_caller_is_left_alone(make_model, make_config, data, tmp_path):
    model = make_model(dropout=0.3)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(model, data, make_config(epochs=1), folder=tmp_path, seed=1)
    assert torch.equal(torch.rand(3), expected)


def test_the_model_ends_in_evaluation_mode(make_model, make_config, data, tmp_path):
    model = make_model(dropout=0.3)
    train(model, data, make_config(epochs=1), folder=tmp_path, seed=1)
    assert not any(module.training for module in model.network.modules())


def test_a_damaged_checkpoint_is_refused(make_model, make_config, data, tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(WorkspaceError, match=r"checkpoint must be readable.*Delete it"):
        train(make_model(), data, make_config(), folder=tmp_path, seed=1)


def test_too_few_pairs_are_refused(make_model, make_config, write_data, tmp_path):
    one = TrainingPairs.from_texts(pa.array(["red couch"]), np.array([0]), np.ones(1, np.float32))
    with pytest.raises(UsageError, match=r"at least 2 pairs .* Received: pairs=1, validation_queries=1\."):
        train(make_model(), write_data(pairs=one), make_config(), folder=tmp_path, seed=1)


@pytest.mark.parametrize("num_queries", [0, 2])
def test_validation_queries_that_nothing_answers_are_refused(
    make_model, make_config, write_data, tmp_path, num_queries
):
    nothing = np.empty(0, np.int64)
    qrels = Qrels.from_triples(query_index=nothing, product_index=nothing, grade=np.empty(0), num_queries=num_queries)
    queries = pa.array(["a", "b"][:num_queries], pa.string())
    with pytest.raises(UsageError, match=r"1 validation query.*validation_queries=0"):
        train(make_model(), write_data(queries=queries, qrels=qrels), make_config(), folder=tmp_path, seed=1)


@pytest.mark.parametrize("weights", [{"batch_weight": 0.0}, {"uniform_weight": 0.0}])
def test_one_source_of_negatives_is_enough(make_model, make_config, data, tmp_path, monkeypatch, weights):
    measure_at(monkeypatch, 3)
    model = make_model()
    before = recall_at(model, data, 3)
    train(model, data, make_config(epochs=8, **weights), folder=tmp_path, seed=1)
    assert recall_at(model, data, 3) > before + 0.2


def test_two_pairs_are_one_step_per_epoch(make_model, make_config, write_data, tmp_path):
    pairs = TrainingPairs.from_texts(pa.array(["red couch", "blue pew"]), np.array([0, 60]), np.ones(2, np.float32))
    result = train(make_model(), write_data(pairs=pairs), make_config(epochs=4), folder=tmp_path, seed=1)
    assert [row["step"] for row in result.history] == [1, 2, 3, 4]
    assert np.isfinite([row["loss"] for row in result.history]).all()
