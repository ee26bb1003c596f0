"""The query tower as a graph for ONNX Runtime: a file beside the weights, written once, for searches one at a time.

The graph begins where the big tables end: hashed n-grams, fields of the context, neighbours and past events are looked
up outside, and their vectors go in. It is put together from nodes and not traced: a search is one row without padding,
for which the network's masks and gathers would be most of the nodes, and tracing it takes seconds of every training.
Whatever changes in an encoder changes here too; tests compare both for every switch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx_ir
import torch

from aisle.encoders import ContextEncoder, GraphEncoder, HistoryEncoder, PretrainedTransformer, SmallTransformer
from aisle.encoders.text import TextEncoder
from aisle.encoders.transformer import TransformerLayer
from aisle.towers.fusion import Fusion, PostFusion
from aisle.towers.graph_ops import GraphBuilder, SavedWeights, Value
from aisle.towers.network import TowerNetwork
from aisle.towers.transformer_graph import transformer_graph

__all__ = ["QUERY_GRAPH", "write_query_graph"]

QUERY_GRAPH = "query.onnx"
OPSET = 20
_BOOL, _INT64 = onnx_ir.DataType.BOOL, onnx_ir.DataType.INT64


def write_query_graph(network: TowerNetwork, folder: Path, *, weights: str) -> bool:
    """Write a network's query tower into its model's folder, and return whether that could be done.

    It cannot where torch's exporter does not follow a Hugging Face encoder. That must not cost a training's result: the
    network encodes queries as well, more slowly.

    Its inputs, each there where the network reads it: `term` [1, dim], the sum of n-grams or what stands for none;
    `tokens` [1, tokens]; `neighbours` [neighbours, dim], `neighbour_rows` [neighbours, dim], `neighbour_weight` [1,
    neighbours] and `has_neighbours` [1, 1]; `place` [1, dim], the sum of known fields, `past` [1, dim] and
    `place_known` [1, 1]; of events `event_query`, `event_product` [events, dim], `event_query_known`,
    `event_product_known` [events, 1], `event_stage`, `event_age` [events] and `has_events` [1, 1]. A list of which
    there is nothing has one entry that means nothing.

    Args:
        network: As it is saved there.
        folder: Folder of the model.
        weights: Name of the safetensors file there that holds the network's state.
    """
    saved = SavedWeights(folder / weights)
    (folder / QUERY_GRAPH).unlink(missing_ok=True)
    try:
        builder = GraphBuilder(_first_graph(network, saved), saved)
    except torch.onnx.OnnxExporterError:
        return False
    encoded: dict[str, Value] = {}
    if network.term is not None:
        encoded["term"] = builder.unit(builder.input("term", [1, network.term.dim]))
    if network.query_text is not None:
        encoded["text"] = _text(builder, network.query_text)
    own = builder.op("Concat", *encoded.values(), axis=1)
    if network.graph is not None:
        encoded["graph"] = _graph(builder, network.graph, own)
    if network.context is not None:
        encoded["context"] = _context(builder, network.context)
    if network.history is not None:
        encoded["history"] = _history(builder, network.history, own)
    vector = _fused(builder, network.fusion, encoded)
    vector.name = "vector"
    builder.graph.outputs.append(vector)
    onnx_ir.save(onnx_ir.Model(builder.graph, ir_version=10), folder / QUERY_GRAPH)
    return True


def _first_graph(network: TowerNetwork, saved: SavedWeights) -> onnx_ir.Graph:
    """Begin with a Hugging Face encoder, which is traced, or with nothing."""
    transformer = network.query_text.transformer if network.query_text is not None else None
    if isinstance(transformer, PretrainedTransformer):
        return transformer_graph(transformer, saved, opset=OPSET, prefix="text.transformer.")
    return onnx_ir.Graph([], [], nodes=[], opset_imports={"": OPSET}, name="query")


def _text(builder: GraphBuilder, text: TextEncoder) -> Value:
    if isinstance(text.transformer, SmallTransformer):
        hidden = _small_transformer(builder, text.transformer)
        pooled = builder.op("ReduceMean", hidden, builder.constant(np.array([0])), keepdims=1)
    else:
        hidden = builder.graph.outputs.pop()
        pooled = builder.op("ReduceMean", hidden, builder.constant(np.array([1])), keepdims=0)
    return builder.unit(builder.linear(pooled, "text.projection"))


def _small_transformer(builder: GraphBuilder, transformer: SmallTransformer) -> Value:
    name = "text.transformer"
    ids = builder.op("Reshape", builder.input("tokens", [1, "tokens"], _INT64), builder.constant(np.array([-1])))
    begin, axis = builder.constant(np.array([0])), builder.constant(np.array([0]))
    positions = builder.op("Slice", builder.weight(f"{name}.positions"), begin, builder.op("Shape", ids), axis)
    hidden = builder.op("Add", builder.op("Gather", builder.weight(f"{name}.tokens.weight"), ids), positions)
    for number, layer in enumerate(transformer.layers):
        assert isinstance(layer, TransformerLayer)
        hidden = builder.transformer_layer(
            hidden, f"{name}.layers.{number}", width=transformer.hidden_dim, num_heads=layer.num_heads
        )
    return builder.layer_norm(hidden, f"{name}.norm")


def _graph(builder: GraphBuilder, graph: GraphEncoder, own: Value) -> Value:
    vectors = builder.input("neighbours", ["neighbours", graph.table_dim])
    weight = builder.input("neighbour_weight", [1, "neighbours"])
    logits = builder.op("Log", builder.op("Max", weight, builder.constant(np.array(1e-12, np.float32))))
    if graph.attention is not None:
        words = builder.columns(vectors, 0, graph.word_dim)
        logits = builder.op("Add", logits, builder.op("Gemm", builder.linear(own, "graph.attention"), words, transB=1))
    share = builder.op("Softmax", logits, axis=-1)
    pooled = builder.op("MatMul", share, vectors)
    projected = builder.linear(builder.columns(pooled, 0, graph.word_dim), "graph.projection")
    if graph.context is not None:
        rest = builder.columns(pooled, graph.word_dim, graph.table_dim)
        projected = builder.op("Add", projected, builder.linear(rest, "graph.context"))
    if graph.learnt:
        rows = builder.input("neighbour_rows", ["neighbours", graph.dim])
        projected = builder.op("Add", projected, builder.op("MatMul", share, rows))
    has_any = builder.input("has_neighbours", [1, 1], _BOOL)
    return builder.unit(builder.op("Where", has_any, projected, builder.weight("graph.missing.query")))


def _context(builder: GraphBuilder, context: ContextEncoder) -> Value:
    summed = builder.input("place", [1, context.dim])
    if context.past is not None:
        past = builder.linear(builder.input("past", [1, context.dim]), "context.past")
        summed = builder.op("Add", summed, past)
    is_known = builder.input("place_known", [1, 1], _BOOL)
    return builder.unit(builder.op("Where", is_known, summed, builder.weight("context.missing")))


def _history(builder: GraphBuilder, history: HistoryEncoder, own: Value) -> Value:
    events = builder.op("Add", *(_event_vectors(builder, history, side) for side in ("query", "product")))
    for name in ("stage", "age"):
        table = builder.weight(f"history.{name}_embeddings.weight")
        number = builder.input(f"event_{name}", ["events"], _INT64)
        events = builder.op("Add", events, builder.op("Gather", table, number))
    events = builder.transformer_layer(events, "history.layer", width=history.dim, num_heads=history.layer.num_heads)
    events = builder.layer_norm(events, "history.norm")
    logits = builder.op("Gemm", builder.linear(own, "history.own"), events, transB=1, alpha=history.dim**-0.5)
    encoded = builder.linear(builder.attended(logits, events), "history.out")
    has_any = builder.input("has_events", [1, 1], _BOOL)
    return builder.unit(builder.op("Where", has_any, encoded, builder.weight("history.missing")))


def _event_vectors(builder: GraphBuilder, history: HistoryEncoder, side: str) -> Value:
    width = {"query": history.query, "product": history.product}[side].in_features
    projected = builder.linear(builder.input(f"event_{side}", ["events", width]), f"history.{side}")
    known = builder.input(f"event_{side}_known", ["events", 1], _BOOL)
    return builder.op("Where", known, projected, builder.weight(f"history.missing_{side}"))


def _fused(builder: GraphBuilder, fusion: Fusion, encoded: Mapping[str, Value]) -> Value:
    together = builder.op("Concat", *(encoded[name] for name in fusion.channel_dims), axis=1)
    if not isinstance(fusion, PostFusion):
        return builder.unit(builder.linear(together, "fusion.query_projection"))
    gates = builder.op("Softmax", builder.linear(together, "fusion.gate"), axis=-1)
    gate_of = builder.split(gates, len(fusion.part_dims), axis=1)
    heads = []
    for gate, name in zip(gate_of, fusion.part_dims, strict=True):
        corrected = builder.linear(together, f"fusion.corrections.{name}")
        if name in encoded:
            corrected = builder.op("Add", encoded[name], corrected)
        heads.append(builder.op("Mul", builder.unit(corrected), gate))
    return builder.op("Concat", *heads, axis=1)
