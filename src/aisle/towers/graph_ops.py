"""ONNX nodes of the layers that the towers are made of, for one row, reading their weights in a safetensors file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx_ir
from onnx_ir.tape import Tape

__all__ = ["GraphBuilder", "SavedWeights"]

Value = onnx_ir.Value


class SavedWeights:
    """Places of a network's weights in its safetensors file, whose layout is public; none is read.

    So there is no second copy of the weights, which could differ.

    Args:
        path: The file.

    Source: https://github.com/huggingface/safetensors#format (length of the header, header, then the values).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            self._header = json.loads(file.read(length))
        self._begin = 8 + length

    def __contains__(self, name: str) -> bool:
        """Tell whether there is a weight of that name."""
        return name in self._header

    def tensor(self, name: str) -> onnx_ir.ExternalTensor:
        """Return a weight as a reference to its place."""
        begin, end = self._header[name]["data_offsets"]
        return onnx_ir.ExternalTensor(
            self._path.name,
            offset=self._begin + begin,
            length=end - begin,
            dtype=onnx_ir.DataType.FLOAT,
            shape=onnx_ir.Shape(self._header[name]["shape"]),
            name=name,
            base_dir=self._path.parent,
        )


class GraphBuilder:
    """Adds nodes to a graph, layer by layer.

    Args:
        graph: The graph, which may hold nodes already.
        weights: Weights by the names that they have in the network's state.
    """

    def __init__(self, graph: onnx_ir.Graph, weights: SavedWeights) -> None:
        self.graph, self._weights = graph, weights
        self._tape = Tape(graph)
        self._made: dict[str, Value] = {}

    def input(self, name: str, shape: Sequence[int | str], dtype: onnx_ir.DataType = onnx_ir.DataType.FLOAT) -> Value:
        """Add an input; a text in its shape names a length that varies."""
        value = onnx_ir.val(name, dtype, shape)
        self.graph.inputs.append(value)
        return value

    def weight(self, name: str) -> Value:
        """Refer to one of the network's weights."""
        if name not in self._made:
            self._made[name] = self._tape.initializer(self._weights.tensor(name))
        return self._made[name]

    def constant(self, array: np.ndarray) -> Value:
        """Add a constant."""
        name = f"constant_{len(self._made)}"
        self._made[name] = self._tape.initializer(onnx_ir.tensor(array, name=name))
        return self._made[name]

    def op(self, kind: str, *inputs: Value, **attributes: int | float | Sequence[int]) -> Value:
        """Add a node with one output."""
        return self._tape.op(kind, inputs, attributes)

    def split(self, value: Value, parts: int, *, axis: int) -> Sequence[Value]:
        """Cut a value into equal parts."""
        return self._tape.op_multi_out("Split", [value], {"axis": axis, "num_outputs": parts}, num_outputs=parts)

    def linear(self, rows: Value, layer: str) -> Value:
        """Apply `torch.nn.Linear` to rows."""
        bias = [self.weight(f"{layer}.bias")] if f"{layer}.bias" in self._weights else []
        return self.op("Gemm", rows, self.weight(f"{layer}.weight"), *bias, transB=1)

    def layer_norm(self, rows: Value, layer: str) -> Value:
        """Apply `torch.nn.LayerNorm` at its defaults to rows."""
        weight, bias = self.weight(f"{layer}.weight"), self.weight(f"{layer}.bias")
        return self.op("LayerNormalization", rows, weight, bias, axis=-1, epsilon=1e-5)

    def unit(self, rows: Value) -> Value:
        """Scale rows, or one vector, to length one."""
        return self.op("LpNormalization", rows, axis=-1, p=2)

    def columns(self, rows: Value, begin: int, end: int) -> Value:
        """Take some columns of rows."""
        places = (self.constant(np.array([place], np.int64)) for place in (begin, end, 1))
        return self.op("Slice", rows, *places)

    def attended(self, logits: Value, rows: Value) -> Value:
        """Average rows, weighted by the softmax of logits [1, rows]."""
        return self.op("MatMul", self.op("Softmax", logits, axis=-1), rows)

    def transformer_layer(self, rows: Value, layer: str, *, width: int, num_heads: int) -> Value:
        """Apply `aisle.encoders.transformer.TransformerLayer` to the places of one text, none of them padding."""
        size = width // num_heads
        joined = self.linear(self.layer_norm(rows, f"{layer}.attention_norm"), f"{layer}.query_key_value")
        heads = self.op("Reshape", joined, self.constant(np.array([-1, 3, num_heads, size])))
        query, key, value = self.split(self.op("Transpose", heads, perm=[1, 2, 0, 3]), 3, axis=0)
        scale = self.constant(np.array(size**-0.5, np.float32))
        logits = self.op("Mul", self.op("MatMul", query, self.op("Transpose", key, perm=[0, 1, 3, 2])), scale)
        attended = self.op("Transpose", self.attended(logits, value), perm=[0, 2, 1, 3])
        out = self.linear(self.op("Reshape", attended, self.constant(np.array([-1, width]))), f"{layer}.out")
        rows = self.op("Add", rows, out)
        hidden = self.linear(self.layer_norm(rows, f"{layer}.feed_forward.0"), f"{layer}.feed_forward.1")
        return self.op("Add", rows, self.linear(self.op("Gelu", hidden), f"{layer}.feed_forward.3"))
