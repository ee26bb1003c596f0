import dataclasses

import numpy as np
import pytest
import torch

from aisle.training import train
from aisle.training.dynamic import DynamicSource
from aisle.training.log_batches import LogBatchMaker
from aisle.training.loss_config import DynamicConfig
from aisle.training.trainer import Trainer

SMALL = DynamicConfig(pool_size=60, refresh_steps=3, skip_ranks=1, depth=40, margin=0.0, num_per_row=2, num_columns=8)
NO_BAND = dataclasses.replace(SMALL, skip_ranks=0, margin=0.0, pool_size=120, depth=120)


@pytest.fixture(scope="module")
def shop(log_data):
    return log_data()


class Drawing:
    """An untrained model, its batches, and what extends one of them."""

    def __init__(self, model, data, config):
        self.model, self.maker = model, LogBatchMaker(data, data.log, config, seed=3)

    def source(self, config=SMALL):
        return DynamicSource(self.model, self.maker, config, seed=5)

    def encode(self, features):
        return torch.from_numpy(self.model.encode_product_features(features))

    def extend(self, source, step, *, batch=None):
        """Return the extended batch, its scores and its queries' vectors."""
        batch = batch or self.maker.batch(step)
        queries, products = self.maker.features(batch)
        vectors = torch.from_numpy(self.model.encode_query_features(queries))
        scores = vectors @ self.encode(products).T
        return *source.extend(batch, vectors, scores, step=step, encode=self.encode), vectors


@pytest.fixture
def drawing(shop, make_log_model, make_config):
    data, featuriser = shop
    return Drawing(make_log_model(featuriser, graph=False, history=False), data, make_config())


def test_columns_are_what_the_model_ranks_highest_among_what_is_no_positive(drawing):
    """With one wish a row and room for all, every row finds the best product that is not masked among its columns."""
    maker = drawing.maker
    config = dataclasses.replace(NO_BAND, num_per_row=1, num_columns=100)
    batch, scores, queries = drawing.extend(drawing.source(config), 0)
    every = drawing.encode(maker.products(np.arange(120), snapshot=batch.snapshot)).numpy()
    all_scores = queries.numpy() @ every.T
    masked, _ = maker.positives.against(batch.positive, np.arange(120))
    own = all_scores[np.arange(len(queries)), batch.product_index]
    # The pool is kept in float16.
    allowed = ~masked.numpy() & (all_scores <= own[:, None] - 2e-3)
    best = np.where(allowed, all_scores, -np.inf).max(axis=1)
    mined = scores[:, len(batch.columns) :].masked_fill(batch.mined.masked, -torch.inf).max(dim=1).values
    assert np.isfinite(best).sum() > 8
    assert (mined.numpy()[np.isfinite(best)] >= best[np.isfinite(best)] - 2e-3).all()


def test_columns_are_few_distinct_and_scored_last(drawing):
    source = drawing.source()
    batch, scores, queries = drawing.extend(source, 0)
    columns = batch.mined.product_index
    assert 1 <= len(columns) <= SMALL.num_columns
    assert len(set(columns.tolist())) == len(columns)
    vectors = drawing.encode(drawing.maker.products(columns, snapshot=batch.snapshot))
    np.testing.assert_allclose(scores[:, len(batch.columns) :].numpy(), (queries @ vectors.T).numpy(), atol=1e-6)
    assert source.encoded == SMALL.pool_size + len(columns)


def test_positives_of_the_searcher_and_what_scores_above_the_margin_are_masked(drawing):
    batch, scores, _ = drawing.extend(drawing.source(dataclasses.replace(SMALL, margin=0.1)), 0)
    fresh, own = scores[:, len(batch.columns) :], scores.diagonal()
    above = fresh > (own - 0.1)[:, None]
    known, _ = drawing.maker.positives.against(batch.positive, batch.mined.product_index)
    assert above.any()
    assert batch.mined.masked[above | known].all()


def test_pools_grow_old_and_each_slice_has_its_own(drawing):
    source, first = drawing.source(), drawing.maker.batch(0)
    for step, refreshed_at in ((0, 0), (1, 0), (2, 0), (3, 3), (5, 3)):
        drawing.extend(source, step, batch=first)
        assert int(source.state_dict()[f"pool.{first.snapshot}.step"]) == refreshed_at
    other = next(batch for batch in map(drawing.maker.batch, range(30)) if batch.snapshot != first.snapshot)
    drawing.extend(source, 5, batch=other)
    state = source.state_dict()
    assert (int(state[f"pool.{first.snapshot}.step"]), int(state[f"pool.{other.snapshot}.step"])) == (3, 5)


def test_a_pool_is_encoded_as_of_its_slices_snapshot(shop, make_log_model, make_config):
    data, featuriser = shop
    drawing = Drawing(make_log_model(featuriser, history=False), data, make_config())
    drawing.model.fill_tables(
        query_texts=data.pairs.queries,
        query_features=data.query_features,
        product_ids=data.product_ids,
        product_features=data.product_features,
    )
    source = drawing.source()
    batch, *_ = drawing.extend(source, 0)
    state, other = source.state_dict(), 1 if batch.snapshot > 1 else 3
    pool = state[f"pool.{batch.snapshot}.products"].numpy()
    then, another = (
        drawing.encode(drawing.maker.products(pool, snapshot=snapshot)).half() for snapshot in (batch.snapshot, other)
    )
    assert torch.equal(state[f"pool.{batch.snapshot}.vectors"], then)
    assert not torch.equal(then, another)


def test_the_network_trains_on_after_a_pool_was_encoded(drawing):
    for is_training in (True, False):
        drawing.model.network.eval()
        queries, products = drawing.maker.features(drawing.maker.batch(0))
        vectors = torch.from_numpy(drawing.model.encode_query_features(queries))
        scores = vectors @ drawing.encode(products).T
        drawing.model.network.train(is_training)
        seen = []

        def encode(features, seen=seen):
            seen.append(drawing.model.network.training)
            return drawing.encode(features)

        drawing.source().extend(drawing.maker.batch(0), vectors, scores, step=0, encode=encode)
        assert seen == [is_training]


def test_a_restored_source_draws_the_same(drawing):
    source, again = drawing.source(), drawing.source()
    drawing.extend(source, 0)
    again.load_state_dict(source.state_dict())
    for step in (1, 2):
        batch = drawing.maker.batch(0)
        one, other = (drawing.extend(each, step, batch=batch)[0].mined for each in (source, again))
        np.testing.assert_array_equal(one.product_index, other.product_index)
        assert torch.equal(one.masked, other.masked)
    assert again.encoded == source.encoded


@pytest.mark.parametrize("none", [False, True])
def test_only_what_is_on_sale_at_the_snapshot_is_drawn(shop, make_log_model, make_config, none):
    """The even half of the catalogue, or all of it, comes after the log."""
    data, featuriser = shop
    created = np.array(data.log.created_us)
    created[:: 1 if none else 2] = 2**62
    later = dataclasses.replace(data, log=dataclasses.replace(data.log, created_us=created))
    drawing = Drawing(make_log_model(featuriser, graph=False, history=False), later, make_config())
    batch, scores, _ = drawing.extend(drawing.source(NO_BAND), 0)
    drawn = batch.mined.product_index
    assert (len(drawn) == 0) == none
    assert (drawn % 2 == 1).all()
    assert scores.shape == (len(batch.search), len(batch.columns) + len(drawn))


def test_a_killed_run_with_dynamic_negatives_ends_as_an_unbroken_one(
    shop, make_log_model, make_config, tmp_path, monkeypatch
):
    data, featuriser = shop
    config = make_config(
        epochs=1, dynamic_weight=0.5, dynamic=SMALL, hinge_weight=0.3, table_refresh_steps=4, checkpoint_minutes=1e-9
    )

    def run(folder):
        folder.mkdir(exist_ok=True)
        model = make_log_model(featuriser)
        result = train(model, data, config, folder=folder, seed=1)
        return model.network.state_dict(), result

    expected, whole = run(tmp_path / "whole")
    original = Trainer.step

    def killed(self, batch):
        if self.progress.step == 8:
            raise KeyboardInterrupt
        return original(self, batch)

    monkeypatch.setattr(Trainer, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken")
    monkeypatch.setattr(Trainer, "step", original)
    found, resumed = run(tmp_path / "broken")
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name
    assert resumed.hinge == whole.hinge
    assert resumed.encodes_per_pair == whole.encodes_per_pair
