"""The query tower as one ONNX file for other programs: the graph of live search, with weights and tables inside."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx_ir
from onnx_ir.tape import Tape

from aisle.core.errors import ModelError
from aisle.towers.network import TowerNetwork
from aisle.towers.prefix import prefix_dims
from aisle.towers.query_graph import QUERY_GRAPH

__all__ = ["export_query_graph"]

_BOOL, _INT64, _FLOAT = onnx_ir.DataType.BOOL, onnx_ir.DataType.INT64, onnx_ir.DataType.FLOAT


def export_query_graph(
    network: TowerNetwork, folder: Path, path: Path, *, dim: int | None = None, is_boosted: bool = False
) -> dict[str, str]:
    """Write the query tower of a model's folder as one file, which encodes one search at a time.

    It differs from the graph beside the weights in what goes in: numbers of n-grams and fields instead of the sum of
    their rows. Lists that are empty have one entry that means nothing, and say so by their `has_` input.

    Args:
        network: The model's network, on the CPU.
        folder: Folder of the model.
        path: File to write.
        dim: Served dimensions; None: all of the model's.
        is_boosted: Append the two dimensions with which a query meets products that have a boost.

    Returns:
        Each input by name, with its type, shape and meaning in words.

    Raises:
        ModelError: If the model has no graph, as one of a Hugging Face encoder that could not be traced has none.
    """
    source = folder / QUERY_GRAPH
    if not source.is_file():
        raise ModelError(
            "The model must have the graph of its query tower",
            received={"path": str(source)},
            remedy="Train with another text encoder: this one cannot be written as ONNX.",
        )
    model = _with_weights(onnx_ir.load(source), folder)
    builder = _Builder(model.graph)
    if network.term is not None:
        builder.term(_array(network.term.table.weight), _array(network.term.missing))
    if network.context is not None:
        builder.place(_array(network.context.table.weight), reads_past=network.context.past is not None)
    sizes = network.fusion.served_dims
    if dim is not None and dim < sum(sizes):
        builder.cut(sizes, prefix_dims(sizes, dim))
    if is_boosted:
        builder.boost()
    model.graph.sort()
    onnx_ir.save(model, path)
    return {value.name or "": _told(value) for value in model.graph.inputs}


def _with_weights(model: onnx_ir.Model, folder: Path) -> onnx_ir.Model:
    """Read the weights that lie beside a graph into it.

    Not by onnx_ir, which refuses a file that has several hard links: versions that are served hold the model by links.
    """
    for value in model.graph.initializers.values():
        tensor = value.const_value
        if isinstance(tensor, onnx_ir.ExternalTensor):
            shape = [int(size) for size in tensor.shape.numpy()]
            array = np.fromfile(
                folder / tensor.location, tensor.dtype.numpy(), int(np.prod(shape)), offset=tensor.offset or 0
            )
            value.const_value = onnx_ir.tensor(array.reshape(shape), name=tensor.name)
    return model


class _Builder:
    """Puts what is looked up outside a graph inside it."""

    def __init__(self, graph: onnx_ir.Graph) -> None:
        self._graph, self._tape = graph, Tape(graph)
        self._inputs = {value.name: value for value in graph.inputs}

    def term(self, table: np.ndarray, missing: np.ndarray) -> None:
        numbers = self._input("ngrams", ["ngrams"], _INT64)
        weight, has_any = self._input("ngram_weights", [1, "ngrams"], _FLOAT), self._input("has_ngrams", [1, 1], _BOOL)
        summed = self._op("MatMul", weight, self._op("Gather", self._constant("term_table", table), numbers))
        self._replace("term", self._op("Where", has_any, summed, self._constant("term_missing", missing[None])))

    def place(self, table: np.ndarray, *, reads_past: bool) -> None:
        numbers, has_any = self._input("place_fields", ["fields"], _INT64), self._input("has_place", [1, 1], _BOOL)
        rows = self._op("Gather", self._constant("context_table", table), numbers)
        summed = self._op("ReduceSum", rows, self._constant("place_axis", np.array([0])), keepdims=1)
        nothing = self._constant("no_place", np.zeros((1, table.shape[1]), np.float32))
        self._replace("place", self._op("Where", has_any, summed, nothing))
        if reads_past:
            has_any = self._op("Or", has_any, self._input("has_past", [1, 1], _BOOL))
        self._replace("place_known", has_any)

    def cut(self, sizes: Sequence[int], kept: Sequence[int]) -> None:
        """Keep the first dimensions of each block, at the block's length; see `served_prefix`."""
        whole = self._bare("whole_vector")
        axis, short, begin = self._constant("cut_axis", np.array([1])), [], 0
        for number, (size, dim) in enumerate(zip(sizes, kept, strict=True)):
            ends = [
                self._constant(f"cut_{number}_{end}", np.array([end])) for end in (begin, begin + dim, begin + size)
            ]
            block, head = (self._op("Slice", whole, ends[0], end, axis) for end in (ends[2], ends[1]))
            factor = self._op("Div", self._op("ReduceL2", block, axis), self._op("ReduceL2", head, axis))
            short.append(self._op("Mul", head, factor))
            begin += size
        self._end(self._op("Concat", *short, axis=1))

    def boost(self) -> None:
        bare = self._bare("bare_vector")
        ends = self._constant("boost_ends", np.array([[1.0, 0.0]], np.float32))
        self._end(self._op("Concat", bare, ends, axis=1))

    def _bare(self, name: str) -> onnx_ir.Value:
        """Take the graph's result away, under another name, so that it can be changed."""
        bare = self._graph.outputs.pop()
        bare.name = name
        return bare

    def _end(self, vector: onnx_ir.Value) -> None:
        vector.name = "vector"
        self._graph.outputs.append(vector)

    def _input(self, name: str, shape: list[int | str], dtype: onnx_ir.DataType) -> onnx_ir.Value:
        value = onnx_ir.val(name, dtype, shape)
        self._graph.inputs.append(value)
        return value

    def _constant(self, name: str, array: np.ndarray) -> onnx_ir.Value:
        return self._tape.initializer(onnx_ir.tensor(np.ascontiguousarray(array), name=f"exported.{name}"))

    def _op(self, kind: str, *inputs: onnx_ir.Value, **attributes: int) -> onnx_ir.Value:
        return self._tape.op(kind, inputs, attributes)

    def _replace(self, name: str, value: onnx_ir.Value) -> None:
        old = self._inputs[name]
        old.replace_all_uses_with(value)
        self._graph.inputs.remove(old)


_MEANING = {
    "ngrams": "numbers of the query's distinct n-grams",
    "ngram_weights": "their weights",
    "has_ngrams": "whether the query has any",
    "tokens": "the tokenizer's numbers, cut to the longest query",
    "place_fields": "numbers of the known fields of the search, such as where it comes from",
    "has_place": "whether any is known",
    "past": "mean of the context dimensions of the past events' products; 0 without any",
    "has_past": "whether there are past events with a known product",
    "neighbours": "vectors of the products that this query led to in the log",
    "neighbour_rows": "what the model learnt of these products",
    "neighbour_weight": "weights of these products",
    "has_neighbours": "whether the log knows the query",
    "event_query": "vectors of the queries of past events",
    "event_product": "vectors of their products",
    "event_query_known": "whether each query has a vector",
    "event_product_known": "whether each product has one",
    "event_stage": "stage that each event reached, from 0 for shown",
    "event_age": "bucket of its age",
    "has_events": "whether there are any past events",
}


def _told(value: onnx_ir.Value) -> str:
    shape = ", ".join(str(size) for size in value.shape or ())
    return f"{str(value.dtype).lower()} [{shape}]: {_MEANING.get(value.name or '', 'input of the text encoder')}"


def _array(weight: object) -> np.ndarray:
    array: np.ndarray = weight.detach().cpu().numpy()  # type: ignore[attr-defined]
    return array
