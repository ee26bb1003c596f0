import torch

from aisle.encoders.projection import principal_rows


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
