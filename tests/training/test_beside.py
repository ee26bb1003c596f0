import dataclasses

import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.training import TrainingPairs, train
from aisle.training.beside import BesideDraw, BesidePairs, number_beside
from aisle.training.log_batches import LogBatchMaker
from aisle.training.loss_config import DynamicConfig
from aisle.training.pairs import NO_PAIRS
from aisle.training.trainer import Trainer


def pairs_of(*rows, weight=1.0):
    texts, products = zip(*rows, strict=True)
    return TrainingPairs.from_texts(pa.array(texts), np.array(products), np.full(len(rows), weight, np.float32))


def test_the_log_keeps_its_numbers_and_new_queries_stand_behind_them():
    judged, pseudo = pairs_of(("rug", 4), ("new", 5), weight=0.5), pairs_of(("lamp", 1), ("new", 6), ("newer", 7))
    texts, beside = number_beside(pa.array(["lamp", "couch", "rug"]), judged=judged, pseudo=pseudo)
    assert texts.to_pylist() == ["lamp", "couch", "rug", "new", "newer"]
    assert beside.query_index.tolist() == [2, 3, 0, 3, 4]
    assert beside.product_index.tolist() == [4, 5, 1, 6, 7]
    assert beside.weight.tolist() == [0.5, 0.5, 1, 1, 1]
    assert beside.is_judged.tolist() == [True, True, False, False, False]


def test_without_pairs_the_log_stands_alone():
    texts, beside = number_beside(pa.array(["lamp"]), judged=NO_PAIRS, pseudo=NO_PAIRS)
    assert (texts.to_pylist(), len(beside)) == (["lamp"], 0)


@pytest.fixture
def drawing():
    """Judged pairs of products 0, 1 and pseudo-queries of products 2 … 11; at snapshot 1 only even ones are on sale."""
    pairs = BesidePairs(np.arange(12), np.arange(12), np.ones(12, np.float32), np.arange(12) < 2)
    on_sale = {1: np.arange(0, 12, 2), 2: np.arange(12), 3: np.array([11])}
    return BesideDraw(pairs, on_sale, num_judged=2, num_pseudo=4, seed=7)


def test_each_kind_has_its_rows_of_what_was_on_sale(drawing):
    drawn = drawing.draw(0, 1)
    # The only judged pair whose product was on sale is repeated.
    assert drawn[:2].tolist() == [0, 0]
    assert set(drawn[2:].tolist()) <= {2, 4, 6, 8, 10}
    assert len(set(drawn[2:].tolist())) == 4
    assert sorted(drawing.draw(0, 2)[:2].tolist()) == [0, 1]
    # Nothing judged was on sale.
    assert drawing.draw(0, 3).tolist() == [11] * 4


def test_a_step_draws_the_same_again_and_another_step_differs(drawing):
    assert drawing.draw(3, 2).tolist() == drawing.draw(3, 2).tolist()
    assert any(drawing.draw(3, 2).tolist() != drawing.draw(step, 2).tolist() for step in (4, 5, 6))


@pytest.mark.parametrize("snapshot", [1, 2, 3])
def test_expected_counts_are_those_of_many_draws(drawing, snapshot):
    counts = sum(np.bincount(drawing.draw(step, snapshot), minlength=12) for step in range(2000)) / 2000
    np.testing.assert_allclose(drawing.expected_count(snapshot, num_products=12), counts, atol=0.06)


JUDGED = (("something that nobody typed", 3), ("sofa", 5))


@pytest.fixture(scope="module")
def shop(log_data, products):
    """Judged pairs, one of them of a query that is no log's; pseudo-queries: every product's kind."""
    kinds = [title.split()[1] for title in products.column("title").to_pylist()]
    pseudo = pairs_of(*((kind, number) for number, kind in enumerate(kinds)), ("red couch", 0))
    return log_data(judged=pairs_of(*JUDGED, weight=0.25), pseudo=pseudo)


@pytest.fixture
def maker(shop, make_config):
    data, _ = shop
    return LogBatchMaker(data, data.log, make_config(judged_share=0.125, pseudo_share=0.25), seed=3)


def test_a_batch_holds_each_kinds_share_behind_the_searches(shop, maker):
    data, _ = shop
    batch = maker.batch(0)
    assert maker.batch_size == len(batch.search) == 16
    assert (batch.search[:10] >= 0).all()
    assert (batch.search[10:] == -1).all()
    texts = data.pairs.queries.take(pa.array(batch.query_index[10:])).to_pylist()
    assert {(text, int(product)) for text, product in zip(texts[:2], batch.product_index[10:12], strict=True)} == set(
        JUDGED
    )
    assert batch.weight[10:].tolist() == [0.25] * 2 + [1.0] * 4
    assert batch.ranked.row.max() < 10


def test_rows_beside_have_no_actor_no_place_and_the_neighbours_of_their_query(shop, maker):
    data, _ = shop
    known = next(
        batch
        for batch in map(maker.batch, range(200))
        if (data.pairs.queries.take(pa.array(batch.query_index[10:])).to_pylist()).count("red couch")
    )
    queries, _ = maker.features(known)
    row = 10 + data.pairs.queries.take(pa.array(known.query_index[10:])).to_pylist().index("red couch")
    assert (queries.history.stage[:10] >= 0).any()
    assert (queries.history.stage[10:] < 0).all()
    assert (queries.context.ids[10:] == -1).all()
    assert (queries.context.ids[:10, 0] >= 0).any()
    others = np.setdiff1d(np.arange(10, 16), [row])
    assert (queries.neighbours.index[others] < 0).all()
    edges = data.log.query_neighbours[known.snapshot - 1]
    begin, end = edges.offsets[known.query_index[row]], edges.offsets[known.query_index[row] + 1]
    assert end > begin
    assert set(queries.neighbours.index[row]) - {-1} <= set(np.asarray(edges.index[begin:end]).tolist())


def test_products_that_hold_all_words_of_a_pseudo_query_are_no_negatives_of_it(shop, maker, products):
    data, _ = shop
    batch = maker.batch(0)
    titles = products.column("title").to_pylist()
    [row] = [row for row in range(10, 12) if data.pairs.queries[int(batch.query_index[row])].as_py() == "sofa"]
    masked = batch.batch_masked[row].tolist()
    assert masked == ["sofa" in titles[product].split() for product in batch.product_index]
    # A searcher's own row is masked by what it led to, not by words.
    assert batch.batch_masked[:10].sum() < 10 * 16


def test_the_logs_own_tables_hold_its_own_queries(shop, log_data):
    data, _ = shop
    alone, _ = log_data()
    texts, features = data.logged_queries()
    assert texts.to_pylist() == alone.pairs.queries.to_pylist()
    assert len(features) == data.log.num_queries == len(texts)
    assert len(data.query_features) > len(texts)


def test_expected_counts_in_a_batch_add_up_to_its_rows(maker):
    for counts in maker._log_count.values():
        drawn = np.exp(counts.astype(np.float64))
        assert drawn.sum() == pytest.approx(16, rel=0.05)


def test_shares_of_what_is_not_there_stay_the_logs(log_data, make_config):
    data, _ = log_data()
    batch = LogBatchMaker(data, data.log, make_config(judged_share=0.3, pseudo_share=0.3), seed=3).batch(0)
    assert (batch.search >= 0).all()
    assert len(batch.search) == 16


def test_a_killed_run_with_pairs_beside_ends_as_an_unbroken_one(
    shop, make_log_model, make_config, tmp_path, monkeypatch
):
    data, featuriser = shop
    dynamic = DynamicConfig(pool_size=40, refresh_steps=3, skip_ranks=1, depth=30, num_columns=8)
    config = make_config(batch_size=64, epochs=1, dynamic_weight=0.5, dynamic=dynamic, checkpoint_minutes=1e-9)

    def run(folder):
        folder.mkdir(exist_ok=True)
        model = make_log_model(featuriser)
        train(model, data, config, folder=folder, seed=1)
        return model.network.state_dict()

    expected, original = run(tmp_path / "whole"), Trainer.step

    def killed(self, batch):
        if self.progress.step == 5:
            raise KeyboardInterrupt
        return original(self, batch)

    monkeypatch.setattr(Trainer, "step", killed)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "broken")
    monkeypatch.setattr(Trainer, "step", original)
    found = run(tmp_path / "broken")
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name


def test_pairs_of_products_that_were_not_on_sale_are_not_drawn(shop, make_config):
    data, _ = shop
    created = np.array(data.log.created_us)
    created[::2] = 2**62
    later = dataclasses.replace(data, log=dataclasses.replace(data.log, created_us=created))
    batch = LogBatchMaker(later, later.log, make_config(judged_share=0.125, pseudo_share=0.25), seed=3).batch(0)
    assert (batch.product_index[batch.search < 0] % 2 == 1).all()
