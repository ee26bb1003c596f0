import numpy as np
import pyarrow as pa
import pytest
import torch

from aisle.encoders import TermEncoder, start_from_latent, term_batch
from aisle.features import TermConfig, TermFeaturiser

CONFIG = TermConfig(num_buckets=8192, char_weight=0.0, bigram_weight=0.0)
CPU = torch.device("cpu")


def shop():
    """Forty sofas, of which every other one is also called a couch, and forty lamps."""
    colours = ["red", "blue", "grey", "green"]
    sofas = [f"sofa cushion seat {colours[i % 4]}" + (" couch" if i % 2 else "") for i in range(40)]
    lamps = [f"lamp bulb light {colours[i % 4]}" + (" luminaire" if i % 2 else "") for i in range(40)]
    return pa.array(sofas + lamps)


def encoder():
    torch.manual_seed(0)
    return TermEncoder(CONFIG.num_buckets, 16)


def similarity(term, featuriser, left, right):
    vectors = term(term_batch(featuriser.queries(pa.array([left, right])), CPU)).detach()
    return float(vectors[0] @ vectors[1])


def test_words_of_like_products_begin_near_each_other():
    featuriser = TermFeaturiser.fit({"title": shop()}, CONFIG)
    products = featuriser.products({"title": shop()})
    random, latent = encoder(), encoder()
    assert start_from_latent(latent, products, share=0.5, seed=1) == 8
    gain = similarity(latent, featuriser, "couch", "sofa") - similarity(random, featuriser, "couch", "sofa")
    other = similarity(latent, featuriser, "couch", "lamp") - similarity(random, featuriser, "couch", "lamp")
    assert gain > 0.2
    assert other < gain - 0.2


def test_only_the_share_is_overwritten_and_both_kinds_have_one_scale():
    products = TermFeaturiser.fit({"title": shop()}, CONFIG).products({"title": shop()})
    before, after = encoder(), encoder()
    start_from_latent(after, products, share=0.25, seed=1)
    assert torch.equal(after.table.weight[:, 4:], before.table.weight[:, 4:])
    rows = torch.from_numpy(np.unique(products.bucket).astype(np.int64))
    assert not torch.equal(after.table.weight[rows, :4], before.table.weight[rows, :4])
    batch = term_batch(products, CPU)
    summed = after.table(batch.bucket, batch.offsets, per_sample_weights=batch.weight).detach()
    assert 0.3 < float(summed[:, :4].square().mean() / summed[:, 4:].square().mean()) < 3


@pytest.mark.parametrize("texts", [[], ["", ""], ["alone"]])
def test_too_small_a_catalogue_leaves_the_table_as_it_is(texts):
    column = pa.array(texts, pa.string())
    featuriser = TermFeaturiser.fit({"title": shop()}, CONFIG)
    before, after = encoder(), encoder()
    assert start_from_latent(after, featuriser.products({"title": column}), share=0.5, seed=1) == 0
    assert torch.equal(after.table.weight, before.table.weight)


def test_no_share_leaves_the_table_as_it_is():
    products = TermFeaturiser.fit({"title": shop()}, CONFIG).products({"title": shop()})
    before, after = encoder(), encoder()
    assert start_from_latent(after, products, share=0.0, seed=1) == 0
    assert torch.equal(after.table.weight, before.table.weight)


def test_the_same_seed_gives_the_same_start():
    products = TermFeaturiser.fit({"title": shop()}, CONFIG).products({"title": shop()})
    first, second = encoder(), encoder()
    start_from_latent(first, products, share=0.5, seed=7)
    start_from_latent(second, products, share=0.5, seed=7)
    assert torch.equal(first.table.weight, second.table.weight)
