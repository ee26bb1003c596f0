import pytest
import torch
from torch import nn

from aisle.encoders.dropout import Dropout, with_cheap_dropout


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_share_is_zeroed_and_the_rest_is_scaled_to_keep_the_mean(share, dtype):
    torch.manual_seed(0)
    dropped = Dropout(share)(torch.ones(301, 999, dtype=dtype))
    assert dropped.dtype == dtype
    assert (dropped == 0).float().mean().item() == pytest.approx(share, abs=0.005)
    assert dropped.float().mean().item() == pytest.approx(1, abs=0.01)
    torch.testing.assert_close(
        dropped[dropped != 0].float().unique(), torch.tensor([1 / (1 - share)]), atol=4e-3, rtol=0
    )


def test_neighbouring_values_and_repeated_calls_are_independent():
    torch.manual_seed(0)
    layer = Dropout(0.5)
    first, second = (layer(torch.ones(100_000)) == 0).double(), (layer(torch.ones(100_000)) == 0).double()
    pairs = [(first[:-lag], first[lag:]) for lag in (1, 2, 3, 4)] + [(first, second)]
    for one, other in pairs:
        assert abs(torch.corrcoef(torch.stack([one, other]))[0, 1]) < 0.02


def test_the_gradient_is_zero_where_the_value_is_and_a_seed_repeats_the_draw():
    values = torch.ones(64, requires_grad=True)
    torch.manual_seed(3)
    dropped = Dropout(0.5)(values)
    dropped.sum().backward()
    assert torch.equal(values.grad, dropped.detach())
    torch.manual_seed(3)
    assert torch.equal(Dropout(0.5)(values), dropped)


@pytest.mark.parametrize("layer", [Dropout(0.5).eval(), Dropout(0.0)])
def test_nothing_is_dropped_in_serving_or_without_a_share(layer):
    values = torch.randn(8)
    assert layer(values) is values


def test_a_model_keeps_its_weights_and_its_shares():
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.25), nn.Linear(2, 1)))
    names = list(model.state_dict())
    with_cheap_dropout(model)
    assert isinstance(model[1][0], Dropout)
    assert model[1][0].p == 0.25
    assert list(model.state_dict()) == names
