import dataclasses

import numpy as np
import pyarrow as pa
import pytest

from aisle.core.errors import UsageError
from aisle.pretraining.data import Draw
from aisle.training import TrainingPairs
from aisle.training.pairs import NO_PAIRS


def pairs_of(num):
    queries = pa.array([f"query {number}" for number in range(num)], pa.string())
    return TrainingPairs.from_texts(queries, np.arange(num), np.ones(num, np.float32))


def test_trained_and_held_out_rows_are_all_rows_and_no_row_is_both(
    make_pretrain_config, make_pretrain_data, shop_texts
):
    data = make_pretrain_data(make_pretrain_config())
    for split, num in ((data.text_split, len(shop_texts.texts)), (data.pairs.split, len(shop_texts.pairs))):
        assert sorted([*split.trained, *split.held_out]) == list(range(num))
        assert 0.05 < len(split.held_out) / num < 0.4


def test_a_held_out_query_is_held_out_with_all_its_pairs_and_as_a_text(
    make_pretrain_config, make_pretrain_data, shop_texts
):
    data = make_pretrain_data(make_pretrain_config())
    index, split = data.pairs.query_index, data.pairs.split
    held_out = set(index[split.held_out])
    assert held_out
    assert not held_out & set(index[split.trained])
    trained_texts = set(shop_texts.texts.take(pa.array(data.text_split.trained)).to_pylist())
    assert not trained_texts & {shop_texts.pairs.queries[int(query)].as_py() for query in held_out}


def test_held_out_rows_are_bounded(make_pretrain_config, make_pretrain_data):
    data = make_pretrain_data(make_pretrain_config(max_held_out=3))
    assert len(data.text_split.held_out) == len(data.pairs.split.held_out) == 3


@pytest.mark.parametrize(
    ("objective", "changes", "what"),
    [
        ("masked", {"texts": pa.array([], pa.string())}, "texts"),
        ("contrastive", {"pairs": NO_PAIRS}, "pairs"),
        ("sequence", {"purchases": NO_PAIRS}, "purchases"),
        ("sequence", {"purchases": pairs_of(1)}, "purchases"),
    ],
)
def test_an_objective_without_anything_to_learn_is_refused(
    make_pretrain_config, make_pretrain_data, shop_texts, objective, changes, what
):
    texts = dataclasses.replace(shop_texts, **changes)
    match = rf"pretrain\.{objective}_weight needs at least 2 {what} .*{what}_learnt=[01], {what}_held_out=[01]\. .*"
    with pytest.raises(UsageError, match=match):
        make_pretrain_data(make_pretrain_config(), texts)
    others = {"masked", "contrastive", "sequence"} - {objective}
    off = {f"{objective}_weight": 0.0, **{f"{name}_weight": 1.0 for name in others}}
    assert len(make_pretrain_data(make_pretrain_config(**off), texts).products)


def test_every_row_is_drawn_once_an_epoch_in_an_order_that_the_step_decides():
    rows = np.arange(5, 15)
    draw = Draw(rows, batch_size=4, seed=1, name="masked")
    batches = [draw.at(step).tolist() for step in range(4)]
    assert draw.steps_per_epoch == 2
    for epoch in (batches[:2], batches[2:]):
        assert len({row for batch in epoch for row in batch}) == 8
    assert batches[0] != batches[2]
    # A resumed run begins in the middle.
    assert Draw(rows, batch_size=4, seed=1, name="masked").at(3).tolist() == batches[3]
    assert Draw(rows, batch_size=4, seed=1, name="contrastive").at(0).tolist() != batches[0]


def test_fewer_rows_than_a_batch_are_all_drawn():
    assert sorted(Draw(np.arange(3), batch_size=8, seed=0, name="x").at(7)) == [0, 1, 2]
