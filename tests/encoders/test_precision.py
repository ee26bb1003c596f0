from types import SimpleNamespace

import pytest
import torch
from torch import nn

from aisle.encoders.precision import bf16_autocast, cast_output, has_fast_bf16

CPU = torch.device("cpu")


@pytest.fixture
def fast(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True, raising=False)


def product_type(enabled):
    with bf16_autocast(CPU, enabled=enabled):
        return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype


def test_layers_run_in_bfloat16_where_it_is_fast_and_asked_for(fast):
    assert product_type(enabled=True) == torch.bfloat16
    assert product_type(enabled=False) == torch.float32


def test_a_processor_without_instructions_keeps_float32(monkeypatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: False, raising=False)
    assert product_type(enabled=True) == torch.float32
    assert has_fast_bf16(torch.device("cuda"))
    # PyTorch before 2.5 has no such probe.
    monkeypatch.setattr(torch, "cpu", SimpleNamespace())
    assert not has_fast_bf16(CPU)
    assert product_type(enabled=True) == torch.float32


def test_the_hidden_state_takes_the_type_of_autocast_behind_its_module(fast):
    embeddings = nn.Embedding(3, 4)
    embeddings.register_forward_hook(cast_output)
    assert embeddings(torch.arange(3)).dtype == torch.float32
    with bf16_autocast(CPU, enabled=True):
        assert embeddings(torch.arange(3)).dtype == torch.bfloat16
