import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from aisle.core.errors import UsageError
from aisle.towers.prefix import prefix_dims, served_prefix


def test_each_block_keeps_its_first_dimensions_at_its_own_length():
    vectors = torch.tensor([[3.0, 0.0, 4.0, 0.6, 0.0], [0.0, 1.0, 0.0, -2.0, 0.0]])
    cut = served_prefix(vectors, [3, 2], 3)
    torch.testing.assert_close(cut, torch.tensor([[5.0, 0.0, 0.6], [0.0, 1.0, -2.0]]))


def test_the_full_size_changes_nothing():
    vectors = torch.randn(6, 9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(served_prefix(vectors, [4, 3, 2], 9), vectors)


def test_a_block_whose_first_dimensions_are_zero_gives_no_nan():
    assert served_prefix(torch.tensor([[0.0, 0.0, 1.0, 1.0, 0.0]]), [3, 2], 3).isfinite().all()


def test_the_score_of_a_prefix_is_the_gated_sum_of_the_parts_own_cosines():
    generator = torch.Generator().manual_seed(3)
    gates = torch.rand(5, 2, generator=generator)
    query = [normalize(torch.randn(5, dim, generator=generator), dim=1) for dim in (8, 4)]
    product = [normalize(torch.randn(5, dim, generator=generator), dim=1) for dim in (8, 4)]
    served = torch.cat([gates[:, [k]] * query[k] for k in range(2)], dim=1)
    score = (served_prefix(served, [8, 4], 6) * served_prefix(torch.cat(product, dim=1), [8, 4], 6)).sum(1)
    cosines = [torch.cosine_similarity(query[k][:, :kept], product[k][:, :kept]) for k, kept in enumerate((4, 2))]
    torch.testing.assert_close(score, gates[:, 0] * cosines[0] + gates[:, 1] * cosines[1])


@given(st.lists(st.integers(4, 60), min_size=1, max_size=5), st.data())
def test_a_size_is_dealt_out_whole_and_no_block_gets_more_than_it_has(blocks, data):
    dim = data.draw(st.integers(max(sum(blocks) // 2, 1), sum(blocks)))
    kept = prefix_dims(blocks, dim)
    assert sum(kept) == dim
    assert all(1 <= one <= block for one, block in zip(kept, blocks, strict=True))


@pytest.mark.parametrize("dim", [2, 13])
def test_a_size_that_cannot_be_served_is_refused(dim):
    with pytest.raises(UsageError, match=rf"leave every part a dimension.*dim={dim}, parts=\[6, 4, 2\].*in between"):
        prefix_dims([6, 4, 2], dim)
