import logging

import onnx_ir
import onnxruntime
import pytest
import torch
from safetensors.torch import save_file

from aisle.encoders import PretrainedTransformer
from aisle.towers.graph_ops import SavedWeights
from aisle.towers.transformer_graph import transformer_graph


@pytest.mark.slow
def test_a_traced_encoder_reads_texts_of_any_length_and_the_saved_weights(tmp_path, tiny_encoder, capfd):
    transformer = PretrainedTransformer.from_checkpoint(str(tiny_encoder)).eval()
    capfd.readouterr()
    level = logging.getLogger("torch.onnx").level
    path = tmp_path / "w.safetensors"
    save_file({f"text.{name}": value.contiguous() for name, value in transformer.state_dict().items()}, path)
    graph = transformer_graph(transformer, SavedWeights(path), opset=20, prefix="text.")
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("torch.onnx").level == level
    weights = [value.const_value for value in graph.initializers.values() if value.const_value.size > 100]
    assert weights
    assert all(isinstance(tensor, onnx_ir.ExternalTensor) for tensor in weights)
    onnx_ir.save(onnx_ir.Model(graph, ir_version=10), tmp_path / "g.onnx")
    assert b"stack_trace" not in (tmp_path / "g.onnx").read_bytes()
    session = onnxruntime.InferenceSession(tmp_path / "g.onnx", providers=["CPUExecutionProvider"])
    for length in (1, 2, 3, 9, 32):
        ids = torch.arange(length)[None] % 8
        expected = transformer(ids, torch.ones_like(ids, dtype=torch.bool))
        found = torch.from_numpy(session.run(None, {"tokens": ids.numpy()})[0])
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
