import numpy as np
import pytest
import torch

from aisle.core.errors import ModelError
from aisle.training import train
from aisle.training.log_batches import LogBatchMaker
from aisle.training.trainer import Trainer

CHANNELS = ("graph", "context", "history")


@pytest.fixture(scope="module")
def shop(log_data):
    return log_data()


@pytest.fixture
def maker(shop, make_config):
    data, _ = shop
    return LogBatchMaker(data, data.log, make_config(num_skipped=8), seed=3)


def test_a_batch_holds_one_slice_and_its_own_positives(shop, maker):
    data, _ = shop
    train_window = data.log.train
    assert maker.steps_per_epoch > 3
    seen = set()
    for step in range(maker.steps_per_epoch):
        batch = maker.batch(step)
        assert set(np.asarray(train_window.snapshot[batch.search]).tolist()) == {batch.snapshot}
        assert batch.snapshot >= 1
        seen.add(batch.snapshot)
        for search, product in zip(batch.search, batch.product_index, strict=True):
            begin, end = train_window.outcome_start[search], train_window.outcome_end[search]
            graded = dict(zip(train_window.product_index[begin:end], train_window.grade[begin:end], strict=True))
            assert graded[product] >= 2
    assert seen == {1, 2, 3}


def test_an_epoch_meets_no_positive_twice_and_any_maker_gives_the_same_step(shop, maker, make_config):
    data, _ = shop
    other = LogBatchMaker(data, data.log, make_config(num_skipped=8), seed=3)
    pairs = [
        (int(search), int(product))
        for step in range(maker.steps_per_epoch)
        for search, product in zip(maker.batch(step).search, maker.batch(step).product_index, strict=True)
    ]
    assert len(set(pairs)) == len(pairs)
    one, again = maker.batch(7), other.batch(7)
    for name in ("search", "product_index", "uniform_index", "weight", "columns"):
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))


def test_other_positives_of_the_same_searcher_are_masked(shop, maker):
    data, _ = shop
    group, log = np.asarray(data.log.train.group), data.log.train
    batch = maker.batch(0)
    for row, search in enumerate(batch.search):
        same = np.flatnonzero(group == group[search])
        own = {
            int(log.product_index[place])
            for one in same
            for place in range(log.outcome_start[one], log.outcome_end[one])
            if log.grade[place] >= 2 and log.snapshot[one] >= 1
        }
        masked = {int(batch.product_index[column]) for column in torch.nonzero(batch.batch_masked[row]).flatten()}
        assert masked == own & set(batch.product_index.tolist())


def test_without_skipped_products_positives_alone_are_ranked(shop, make_config):
    data, _ = shop
    batch = LogBatchMaker(data, data.log, make_config(num_skipped=0), seed=3).batch(0)
    assert len(batch.ranked.product_index) == 0
    assert len(batch.ranked.grade) == len(batch.product_index)
    assert batch.ranked.grade.min() >= 2
    assert LogBatchMaker(data, data.log, make_config(num_skipped=0, ranking_weight=0.0), seed=3).batch(0).ranked is None


def test_ranked_items_are_of_the_rows_own_search(shop, maker):
    data, _ = shop
    log, batch = data.log.train, maker.batch(0)
    ranked, columns = batch.ranked, batch.columns
    assert len(ranked.product_index) == 8
    assert (np.diff(ranked.row) >= 0).all()
    for row, column, grade in zip(ranked.row, ranked.column, ranked.grade, strict=True):
        search = batch.search[row]
        begin, end = log.outcome_start[search], log.outcome_end[search]
        graded = dict(zip(log.product_index[begin:end], log.grade[begin:end], strict=True))
        assert graded[columns[column]] == grade
    assert set(ranked.grade.tolist()) >= {1.0, 4.0} or set(ranked.grade.tolist()) >= {1.0, 2.0}


def test_ranking_switched_off_encodes_no_skipped_products(shop, make_config):
    data, _ = shop
    maker = LogBatchMaker(data, data.log, make_config(ranking_weight=0.0), seed=3)
    assert maker.batch(0).ranked is None
    assert len(maker.batch(0).columns) == 32


@pytest.mark.parametrize("off", [None, *CHANNELS])
def test_training_by_search_learns_with_each_channel_on_and_off(shop, make_log_model, make_config, tmp_path, off):
    data, featuriser = shop
    model = make_log_model(featuriser, **({} if off is None else {off: False}))
    result = train(model, data, make_config(table_refresh_steps=5), folder=tmp_path, seed=1)
    losses = [row["loss"] for row in result.history]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


def learnt_rows(data):
    return {"vectors": "trained", "num_known": (data.log.num_queries, len(data.product_features))}


def test_learnt_rows_of_neighbours_begin_as_frozen_vectors_and_learn(shop, make_log_model, make_config, tmp_path):
    data, featuriser = shop
    (tmp_path / "frozen").mkdir()
    config = make_config(epochs=1, table_refresh_steps=5)
    curves, models = [], []
    for folder, settings in ((tmp_path / "frozen", {}), (tmp_path, learnt_rows(data))):
        models.append(make_log_model(featuriser, **settings))
        trainer = Trainer(models[-1], data, config, folder=folder, seed=1)
        trainer.run()
        curves.append(trainer.progress.losses)
    assert curves[0][0] == curves[1][0]
    assert curves[0] != curves[1]
    graph, log = models[1].network.graph, data.log
    for side, neighbours in (("product", log.query_neighbours), ("query", log.product_neighbours)):
        moved = np.flatnonzero(graph.learnt_rows(side).detach().abs().sum(1).numpy())
        assert len(moved) > 0
        # What is no neighbour in any snapshot stays at zero.
        assert set(moved) <= set(np.concatenate([one.index for one in neighbours]).tolist())


@pytest.mark.parametrize("rows", [None, learnt_rows])
def test_a_killed_run_ends_as_an_unbroken_one(shop, make_log_model, make_config, tmp_path, monkeypatch, rows):
    data, featuriser = shop
    settings = rows(data) if rows is not None else {}
    config = make_config(epochs=1, table_refresh_steps=4, checkpoint_minutes=1e-9)

    def weights(folder):
        model = make_log_model(featuriser, **settings)
        train(model, data, config, folder=folder, seed=1)
        return {**model.network.state_dict(), "tables": model.tables.products.vectors}

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    expected = weights(whole)
    original = Trainer.step

    def killed(self, batch):
        if self.progress.step == 6:
            raise KeyboardInterrupt
        return original(self, batch)

    monkeypatch.setattr(Trainer, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        weights(broken)
    monkeypatch.setattr(Trainer, "step", original)
    found = weights(broken)
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name


def test_tables_must_be_filled_before_neighbours_are_read(shop, make_log_model):
    data, featuriser = shop
    with pytest.raises(ModelError, match="must be filled"):
        make_log_model(featuriser).encode_product_features(data.product_features)
