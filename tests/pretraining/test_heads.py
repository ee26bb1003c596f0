import pytest
import torch

from aisle.pretraining.heads import QueryWriter, TokenGuesser, next_tokens


@pytest.fixture
def writer():
    torch.manual_seed(0)
    return QueryWriter(8, table_dim=4, num_layers=1, num_heads=2, max_tokens=5, dropout=0.0).eval()


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


def test_a_token_scores_by_its_own_row_and_bias():
    guesser = TokenGuesser(8, table_dim=4, vocabulary_size=3)
    with torch.no_grad():
        guesser.bias[2] = 5.0
    hidden, table = drawn(6, 8), drawn(3, 4)
    expected = guesser.dense(hidden) @ table.T + torch.tensor([0.0, 0.0, 5.0])
    torch.testing.assert_close(guesser(hidden, table), expected)


@torch.no_grad()
def test_a_written_token_sees_those_before_it_and_never_those_after(writer):
    tokens, memory = drawn(1, 4, 4), drawn(1, 3, 8)
    written, real = torch.ones(1, 4, dtype=torch.bool), torch.ones(1, 3, dtype=torch.bool)
    changed = tokens.clone()
    changed[0, 2] += 1
    before, after = writer(tokens, written, memory, real), writer(changed, written, memory, real)
    torch.testing.assert_close(after[0, :2], before[0, :2])
    assert (after[0, 2:] - before[0, 2:]).abs().max() > 1e-3


@torch.no_grad()
def test_the_product_is_read_and_its_padding_is_not(writer):
    tokens, memory = drawn(1, 4, 4), drawn(1, 3, 8)
    written, real = torch.ones(1, 4, dtype=torch.bool), torch.tensor([[True, True, False]])
    before = writer(tokens, written, memory, real)
    memory[0, 2] += 1
    torch.testing.assert_close(writer(tokens, written, memory, real), before)
    memory[0, 1] += 1
    assert (writer(tokens, written, memory, real) - before).abs().max() > 1e-3


def test_what_follows_each_token_is_the_next_one_of_its_own_row():
    ids, real = torch.tensor([[2, 7, 3], [2, 3, 0]]), torch.tensor([[True, True, True], [True, True, False]])
    written, followed, right = next_tokens(ids, real)
    assert written.tolist() == [[2, 7], [2, 3]]
    assert followed.tolist() == [[True, True], [True, False]]
    assert right.tolist() == [7, 3, 3]
