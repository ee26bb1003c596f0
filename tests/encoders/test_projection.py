import torch

from aisle.encoders.projection import fitted_map, principal_rows


def test_similarities_inside_the_main_directions_are_kept():
    torch.manual_seed(0)
    basis = torch.linalg.qr(torch.randn(12, 3)).Q
    vectors = torch.randn(50, 3) @ basis.T
    rows = principal_rows(vectors, 3)
    projected = vectors @ rows.T
    torch.testing.assert_close(projected @ projected.T, vectors @ vectors.T, atol=1e-4, rtol=0)
    torch.testing.assert_close(rows @ rows.T, torch.eye(3), atol=1e-5, rtol=0)


def test_too_few_vectors_leave_zeros():
    rows = principal_rows(torch.eye(5)[:2], 4)
    assert rows.shape == (4, 5)
    assert rows[2:].abs().sum() == 0
    torch.testing.assert_close(rows[:2] @ rows[:2].T, torch.eye(2))


def test_a_fitted_map_finds_the_map_behind_the_rows():
    torch.manual_seed(1)
    weight, bias, inputs = torch.randn(2, 3), torch.randn(2), torch.randn(4000, 3)
    found = fitted_map(inputs, inputs @ weight.T + bias)
    for one, other in zip(found, (weight, bias), strict=True):
        torch.testing.assert_close(one, other, atol=1e-3 + 0.02 * other.abs().max().item(), rtol=0)


def test_a_fitted_map_of_what_tells_nothing_gives_the_mean():
    outputs = torch.tensor([[1.0, 5.0], [3.0, 1.0]])
    weight, bias = fitted_map(torch.ones(2, 4), outputs)
    torch.testing.assert_close(weight, torch.zeros(2, 4))
    torch.testing.assert_close(bias, torch.tensor([2.0, 3.0]))


def test_a_fitted_map_of_more_dimensions_than_rows_stays_small():
    torch.manual_seed(2)
    weight, bias = fitted_map(torch.randn(3, 50), torch.randn(3, 4))
    assert torch.isfinite(weight).all()
    assert weight.abs().max() < 1
    assert bias.shape == (4,)
