import subprocess
import sys
from types import SimpleNamespace

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from aisle.training.accelerating import make_accelerator, training_device


def test_layers_run_in_bfloat16_only_where_it_is_fast(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    def product_type(device_has_it, asked):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: device_has_it, raising=False)
        with make_accelerator(bf16=asked).autocast():
            return (torch.ones(2, 2) @ torch.ones(2, 2)).dtype

    assert product_type(True, True) == torch.bfloat16
    assert product_type(True, False) == torch.float32
    assert product_type(False, True) == torch.float32
    # PyTorch before 2.5 has no such probe.
    monkeypatch.setattr(torch, "cpu", SimpleNamespace())
    with make_accelerator(bf16=True).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_another_precision_of_the_process_does_not_stand_in_the_way():
    AcceleratorState._reset_state(reset_partial_state=True)
    Accelerator(cpu=True, mixed_precision="bf16")
    assert make_accelerator(bf16=False).mixed_precision == "no"


def test_the_device_is_a_gpu_or_the_processor():
    assert training_device().type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_backward_and_clip_are_those_of_torch():
    weights = [torch.tensor([3.0, 4.0], requires_grad=True) for _ in range(2)]
    accelerator = make_accelerator(bf16=False)
    accelerator.backward((weights[0] ** 2).sum())
    accelerator.clip_grad_norm_([weights[0]], 1.0)
    (weights[1] ** 2).sum().backward()
    torch.nn.utils.clip_grad_norm_([weights[1]], 1.0)
    assert torch.equal(weights[0].grad, weights[1].grad)


def test_importing_the_trainer_does_not_import_accelerate():
    code = "import sys, aisle.training.trainer; print('accelerate' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
