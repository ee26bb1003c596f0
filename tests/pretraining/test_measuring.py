import dataclasses

import numpy as np
import pytest
import torch

from aisle.pretraining.measuring import MEASURES, held_out_measures


def measured(setting, **changes):
    config = dataclasses.replace(setting.config, **changes)
    return held_out_measures(setting.network, setting.data, config, seed=0)


def test_an_untrained_network_knows_next_to_nothing_and_says_so_twice_alike(setting):
    found = measured(setting)
    assert list(found) == list(MEASURES.values())
    assert found["masked_accuracy"] < 0.1
    assert found["sequence_accuracy"] < 0.1
    assert measured(setting) == found


def test_only_what_is_learnt_is_measured(setting):
    assert list(measured(setting, masked_weight=0.0, sequence_weight=0.0)) == ["contrastive_recall"]


def test_recall_is_the_share_of_held_out_pairs_with_fewer_than_ten_others_before_them(setting, monkeypatch):
    """Against ranks by hand, with vectors of our own."""
    data = setting.data
    drawn = np.random.default_rng(0)
    vectors = {
        id(tokens): torch.from_numpy(drawn.normal(size=(len(tokens), 4)).astype(np.float32))
        for tokens in (data.pairs.queries, data.products)
    }
    asked = []
    monkeypatch.setattr(
        type(data.products), "take", lambda self, rows: (asked.append(rows), vectors[id(self)][rows])[1]
    )
    monkeypatch.setattr(setting.network, "embed", lambda taken: taken)
    found = measured(setting, masked_weight=0.0, sequence_weight=0.0)["contrastive_recall"]
    queries, products = vectors[id(data.pairs.queries)].numpy(), vectors[id(data.products)].numpy()
    hits = []
    for row in data.pairs.split.held_out:
        query, product = data.pairs.query_index[row], data.pairs.product_index[row]
        scores = products @ queries[query]
        others = np.setdiff1d(np.arange(len(products)), data.pairs.product_index[data.pairs.query_index == query])
        hits.append((scores[others] > scores[product]).sum() < 10)
    assert found == pytest.approx(np.mean(hits))
    assert 0 < found < 1


def test_drop_out_is_off_while_it_is_measured(setting, make_network):
    network = make_network(dropout=0.5).train()
    one = held_out_measures(network, setting.data, setting.config, seed=0)
    assert held_out_measures(network.train(), setting.data, setting.config, seed=0) == one
    assert not network.training
