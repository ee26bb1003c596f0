import math
from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import normalize

from aisle.encoders import HistoryBatch, HistoryEncoder, mean_past_context
from aisle.encoders.history import age_buckets

QUERY, PRODUCT, DIM, EVENTS = 5, 7, 8, 4


def encoder(dropout=0.0):
    torch.manual_seed(0)
    return HistoryEncoder(
        query_dim=QUERY, product_dim=PRODUCT, own_dim=QUERY, dim=DIM, num_heads=2, dropout=dropout
    ).eval()


def batch(counts=(3, 0, 1, 4)):
    torch.manual_seed(1)
    shape = (len(counts), EVENTS)
    found = HistoryBatch(
        query=torch.randn(*shape, QUERY),
        query_known=torch.rand(shape) > 0.3,
        product=torch.randn(*shape, PRODUCT),
        product_known=torch.rand(shape) > 0.3,
        stage=torch.randint(0, 5, shape),
        age_s=torch.rand(shape) * 1e6,
        real=torch.arange(EVENTS) < torch.tensor(counts)[:, None],
    )
    return found, torch.randn(len(counts), QUERY)


def changed(history, change):
    return HistoryBatch(**{field.name: change(getattr(history, field.name)) for field in fields(history)})


@torch.no_grad()
def test_vectors_have_unit_length_and_unknown_actors_the_missing_one():
    history, (events, own) = encoder(), batch()
    found = history(events, own=own)
    assert found.shape == (4, DIM)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(4))
    torch.testing.assert_close(found[1], normalize(history.missing, dim=0))
    torch.testing.assert_close(found[1:2], history.unknown(1))
    assert not torch.allclose(found[0], found[1], atol=1e-2)


@torch.no_grad()
@settings(deadline=None, max_examples=20)
@given(order=st.permutations(range(EVENTS)))
def test_order_matters_through_age_alone(order):
    history, (events, own) = encoder(), batch()
    order = list(order)
    shuffled = changed(events, lambda part: part[:, order])
    expected = history(events, own=own)
    torch.testing.assert_close(history(shuffled, own=own), expected, atol=1e-5, rtol=0)
    older = replace(events, age_s=events.age_s.flip(1))
    assert not torch.allclose(history(older, own=own)[3], expected[3], atol=1e-3)


@torch.no_grad()
def test_what_stands_at_padding_changes_nothing():
    history, (events, own) = encoder(), batch()
    hidden = ~events.real
    other = replace(
        events,
        query=torch.where(hidden[:, :, None], 1e4, events.query),
        product=torch.where(hidden[:, :, None], -1e4, events.product),
        stage=torch.where(hidden, 4, events.stage),
        age_s=torch.where(hidden, 1e9, events.age_s),
        query_known=events.query_known | hidden,
    )
    expected = history(events, own=own)
    assert torch.equal(history(other, own=own), expected)
    longer = changed(events, lambda part: torch.cat([part, part[:, :2]], dim=1))
    longer = replace(longer, real=torch.cat([events.real, torch.zeros(4, 2, dtype=torch.bool)], dim=1))
    torch.testing.assert_close(history(longer, own=own), expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_a_row_has_the_same_vector_alone():
    history, (events, own) = encoder(), batch()
    whole = history(events, own=own)
    for row in range(4):
        alone = history(changed(events, lambda part, row=row: part[row : row + 1]), own=own[row : row + 1])
        torch.testing.assert_close(alone[0], whole[row], atol=1e-5, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("name", ["query", "product"])
def test_the_vector_of_an_unknown_query_or_product_is_not_read(name):
    history, (events, own) = encoder(), batch()
    known = getattr(events, f"{name}_known")
    assert (~known & events.real).any()
    other = replace(events, **{name: torch.where(known[:, :, None], getattr(events, name), 9.0)})
    assert torch.equal(history(other, own=own), history(events, own=own))
    assert not torch.allclose(history(replace(events, **{f"{name}_known": ~known}), own=own), history(events, own=own))


@torch.no_grad()
def test_query_stage_and_the_search_at_hand_count():
    history, (events, own) = encoder(), batch((2, 2, 2, 2))
    expected = history(events, own=own)
    for other in (replace(events, stage=(events.stage + 1) % 5), replace(events, query=-events.query)):
        assert not torch.allclose(history(other, own=own), expected, atol=1e-3)
    assert not torch.allclose(history(events, own=-own), expected, atol=1e-3)


def test_everything_learns():
    history, (events, own) = encoder(), batch()
    history(events, own=own)[:, 0].sum().backward()
    for name, parameter in history.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().sum() > 0, name


@torch.no_grad()
def test_no_known_actor_and_no_rows():
    history, (events, own) = encoder(), batch((0, 0))
    torch.testing.assert_close(history(events, own=own), history.unknown(2))
    assert history(changed(events, lambda part: part[:0]), own=own[:0]).shape == (0, DIM)


@torch.no_grad()
def test_low_precision_stays_near():
    history, (events, own) = encoder(), batch()
    with torch.autocast("cpu", torch.bfloat16):
        found = history(events, own=own)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, history(events, own=own), atol=0.1, rtol=0)


@given(st.floats(0, 1e10))
def test_ages_fall_into_buckets_by_doublings(age):
    [found] = age_buckets(torch.tensor([age], dtype=torch.float32)).tolist()
    assert 0 <= found <= 23
    assert found == pytest.approx(min(23, math.floor(math.log2(age / 60 + 1))), abs=1)


def test_an_event_from_the_future_counts_as_now():
    assert age_buckets(torch.tensor([-5.0, 0.0, 1e18])).tolist() == [0, 0, 23]


def test_the_past_context_is_the_mean_over_known_products():
    events, _ = batch()
    found = mean_past_context(events, 2)
    assert found.shape == (4, 2)
    assert found[1].tolist() == [0, 0]
    for row in (0, 2, 3):
        keep = events.real[row] & events.product_known[row]
        expected = events.product[row, keep, -2:].mean(0) if keep.any() else torch.zeros(2)
        torch.testing.assert_close(found[row], expected)
    padded = replace(events, product=torch.where(events.real[:, :, None], events.product, float("nan")))
    assert torch.equal(mean_past_context(padded, 2), found)
