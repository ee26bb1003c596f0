import math

import pytest
import torch

from aisle.training.hinge_scale import HingeScale


def test_it_begins_as_the_score_itself():
    scale = HingeScale()
    assert (scale.scale, scale.shift.item(), scale.cut_off(0.6)) == (1.0, 0.0, 0.6)


@pytest.mark.parametrize(("log_scale", "shift"), [(-30.0, 2.0), (0.5, -1.0), (3.0, 0.0)])
def test_the_scaled_score_meets_the_threshold_at_the_cut_off(log_scale, shift):
    scale = HingeScale()
    scale.load_state_dict({"log_scale": torch.tensor(log_scale), "shift": torch.tensor(shift)})
    assert scale.scale == pytest.approx(math.exp(log_scale))
    assert scale.scale > 0
    assert scale.scale * scale.cut_off(0.75) + shift == pytest.approx(0.75)
