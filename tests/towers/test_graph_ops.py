import numpy as np
import onnx_ir
import onnxruntime
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from aisle.encoders.transformer import TransformerLayer
from aisle.towers.graph_ops import GraphBuilder, SavedWeights

ROWS = np.random.default_rng(0).normal(size=(5, 8)).astype(np.float32)


@pytest.fixture
def run(tmp_path):
    """Run what `add` builds from rows, with a module's weights under the name `layer`."""

    def result(module, add, rows=ROWS):
        state = {f"layer.{name}": value.contiguous() for name, value in module.state_dict().items()}
        save_file({"another": torch.zeros(3), **state}, tmp_path / "w.safetensors")
        graph = onnx_ir.Graph([], [], nodes=[], opset_imports={"": 20}, name="g")
        builder = GraphBuilder(graph, SavedWeights(tmp_path / "w.safetensors"))
        graph.outputs.append(add(builder, builder.input("rows", ["n", rows.shape[1]])))
        onnx_ir.save(onnx_ir.Model(graph, ir_version=10), tmp_path / "g.onnx")
        session = onnxruntime.InferenceSession(tmp_path / "g.onnx", providers=["CPUExecutionProvider"])
        return session.run(None, {"rows": rows})[0]

    return result


def assert_same(found, expected):
    np.testing.assert_allclose(found, expected.detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("bias", [True, False])
def test_linear(run, bias):
    layer = nn.Linear(8, 3, bias=bias)
    assert_same(run(layer, lambda builder, rows: builder.linear(rows, "layer")), layer(torch.from_numpy(ROWS)))


def test_layer_norm(run):
    layer = nn.LayerNorm(8)
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    assert_same(run(layer, lambda builder, rows: builder.layer_norm(rows, "layer")), layer(torch.from_numpy(ROWS)))


@pytest.mark.parametrize("num_rows", [1, 2, 5])
def test_a_transformer_layer(run, num_rows):
    torch.manual_seed(0)
    layer = TransformerLayer(8, 2, 0.5).eval()
    rows = ROWS[:num_rows]
    expected = layer(torch.from_numpy(rows)[None], torch.ones(1, num_rows, dtype=torch.bool))[0]
    found = run(layer, lambda builder, rows: builder.transformer_layer(rows, "layer", width=8, num_heads=2), rows)
    assert_same(found, expected)


def test_unit_rows_and_a_zero_row(run):
    rows = np.array([[3, 4], [0, 0]], np.float32)
    assert run(nn.Linear(1, 1), lambda builder, rows: builder.unit(rows), rows).tolist() == [
        [pytest.approx(0.6), pytest.approx(0.8)],
        [0, 0],
    ]


def test_columns_and_attention(run):
    found = run(nn.Linear(1, 1), lambda builder, rows: builder.columns(rows, 2, 5))
    np.testing.assert_array_equal(found, ROWS[:, 2:5])
    logits = np.log(np.array([[0.25, 0.75]], np.float32))
    values = np.array([[0, 4], [4, 0]], np.float32)
    found = run(nn.Linear(1, 1), lambda builder, rows: builder.attended(rows, builder.constant(values)), logits)
    np.testing.assert_allclose(found, [[3, 1]], rtol=1e-6)


def test_a_weight_is_known_by_its_name_in_the_state(tmp_path):
    save_file({"a.weight": torch.arange(6.0).reshape(2, 3), "b": torch.ones(1)}, tmp_path / "w.safetensors")
    saved = SavedWeights(tmp_path / "w.safetensors")
    assert "a.weight" in saved
    assert "c" not in saved
    np.testing.assert_array_equal(saved.tensor("a.weight").numpy(), [[0, 1, 2], [3, 4, 5]])
