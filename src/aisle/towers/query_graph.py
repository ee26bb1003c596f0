"""The query tower as a graph for ONNX Runtime: a file beside the weights, written once, for searches one at a time.

The graph begins where the big tables end: hashed n-grams, fields of the context, neighbours and past events are looked
up outside, and their vectors go in. It holds no weights of its own but names their place in the model's safetensors
file, so that there is no second copy of them that could differ.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import onnx_ir
import torch
from jaxtyping import Float
from torch import Tensor, nn

from aisle.encoders import ContextEncoder, GraphEncoder, HistoryEncoder, NeighbourBatch, TokenBatch
from aisle.towers.network import TowerNetwork

__all__ = ["QUERY_GRAPH", "QueryTower", "write_query_graph"]

QUERY_GRAPH = "query.onnx"
_OPSET = 20
_SEVERAL = 3
"""Tokens, neighbours and events of the example that is traced: the tracer takes 1 for a constant."""


class QueryTower(nn.Module):
    """`TowerNetwork.query` for one search, from what was looked up for it.

    Args:
        network: Whose encoders it reads, as they are.
    """

    def __init__(self, network: TowerNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, inputs: Mapping[str, Tensor]) -> Float[Tensor, "1 dim"]:
        """Encode a search into its served vector.

        Args:
            inputs: `term` [1, dim], the sum of n-grams or what stands for none; `tokens` [1, tokens]; `neighbours`
                [1, neighbours, dim], `neighbour_weight` and `has_neighbours` [1, 1]; `place` [1, dim], the sum of the
                known fields, `place_known` [1, 1] and `past` [1, dim]; of events `event_query`, `event_product`,
                `event_query_known`, `event_product_known`, `event_stage`, `event_age` and `has_events` [1, 1]. A list
                of which there is nothing has one entry that means nothing.
        """
        network = self.network
        encoded = {}
        if network.term is not None:
            encoded["term"] = nn.functional.normalize(inputs["term"], dim=1)
        if network.text is not None:
            tokens = inputs["tokens"]
            encoded["text"] = network.text(TokenBatch(tokens, torch.ones_like(tokens, dtype=torch.bool)))
        own = torch.cat(list(encoded.values()), dim=1)
        if network.graph is not None:
            encoded["graph"] = _graph(network.graph, inputs, own)
        if network.context is not None:
            encoded["context"] = network.context.unit_searches(
                inputs["place"], inputs["place_known"], past=inputs.get("past")
            )
        if network.history is not None:
            encoded["history"] = _history(network.history, inputs, own)
        return network.fusion.query(encoded)


def _graph(graph: GraphEncoder, inputs: Mapping[str, Tensor], own: Tensor) -> Tensor:
    weight = inputs["neighbour_weight"]
    batch = NeighbourBatch(inputs["neighbours"], weight, inputs["has_neighbours"].expand(weight.shape))
    return graph(batch, own=own, side="query")


def _history(history: HistoryEncoder, inputs: Mapping[str, Tensor], own: Tensor) -> Tensor:
    events = history.embedded(
        (inputs["event_query"], inputs["event_query_known"]),
        (inputs["event_product"], inputs["event_product_known"]),
        stage=inputs["event_stage"],
        age=inputs["event_age"],
    )
    real = torch.ones_like(inputs["event_stage"], dtype=torch.bool)
    return torch.where(inputs["has_events"], history.pooled(events, real, own=own), history.unknown(1))


def write_query_graph(network: TowerNetwork, folder: Path, *, weights: str) -> None:
    """Write a network's query tower into its model's folder.

    Args:
        network: As it is saved there; on any device, set to evaluation.
        folder: Folder of the model.
        weights: Name of the safetensors file there that holds the network's state.
    """
    tower = QueryTower(network).eval()
    inputs, shapes = _example(network)
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            tower,
            kwargs={"inputs": inputs},  # as an argument, a dict that stands last would be taken for keywords
            dynamo=True,
            input_names=list(inputs),
            output_names=["vector"],
            dynamic_shapes={"inputs": shapes},
            opset_version=_OPSET,
            optimize=False,
            verbose=False,
        )
    assert program is not None
    model = program.model
    _forget_origin(model)
    _take_weights_from(folder / weights, model)
    onnx_ir.save(model, folder / QUERY_GRAPH)


def _example(network: TowerNetwork) -> tuple[dict[str, Tensor], dict[str, dict[int, object]]]:
    """Return inputs of one search, and which of their dimensions vary."""
    made: dict[str, Tensor] = {}
    lists: dict[str, str] = {}

    def add(length: str, tensors: Mapping[str, Tensor]) -> None:
        made.update(tensors)
        lists.update(dict.fromkeys(tensors, length))

    if network.term is not None:
        made["term"] = torch.randn(1, network.term.dim)
    if network.text is not None:
        add("tokens", {"tokens": torch.zeros(1, _SEVERAL, dtype=torch.int64)})
    if network.graph is not None:
        add("neighbours", _neighbour_example(network.graph))
        made["has_neighbours"] = torch.ones(1, 1, dtype=torch.bool)
    if network.context is not None:
        made.update(_place_example(network.context))
    if network.history is not None:
        add("events", _event_example(network.history))
        made["has_events"] = torch.ones(1, 1, dtype=torch.bool)
    device = next(network.parameters()).device
    most = {"tokens": network.text.transformer.max_tokens} if network.text is not None else {}
    dims = {name: torch.export.Dim(name, min=1, max=most.get(name)) for name in set(lists.values())}
    shapes: dict[str, dict[int, object]] = {name: {1: dims[lists[name]]} if name in lists else {} for name in made}
    # Sorted, as the tracer takes a dict's entries; copied, since one tensor under two names would be one input.
    return {name: made[name].to(device, copy=True) for name in sorted(made)}, shapes


def _neighbour_example(graph: GraphEncoder) -> dict[str, Tensor]:
    return {"neighbours": torch.randn(1, _SEVERAL, graph.table_dim), "neighbour_weight": torch.rand(1, _SEVERAL)}


def _place_example(context: ContextEncoder) -> dict[str, Tensor]:
    vector = torch.randn(1, context.dim)
    made = {"place": vector, "place_known": torch.ones(1, 1, dtype=torch.bool)}
    return made if context.past is None else {**made, "past": vector}


def _event_example(history: HistoryEncoder) -> dict[str, Tensor]:
    known, number = torch.ones(1, _SEVERAL, dtype=torch.bool), torch.zeros(1, _SEVERAL, dtype=torch.int64)
    return {
        "event_query": torch.randn(1, _SEVERAL, history.query.in_features),
        "event_product": torch.randn(1, _SEVERAL, history.product.in_features),
        "event_query_known": known,
        "event_product_known": known,
        "event_stage": number,
        "event_age": number,
    }


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks on its own parts and on packages that it does without off the screen."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _forget_origin(model: onnx_ir.Model) -> None:
    """Drop the exporter's notes: they hold paths of this machine, and the same network would not give the same file."""
    parts = [model, model.graph, *model.functions.values(), *model.graph.all_nodes()]
    for function in model.functions.values():
        parts += list(function)
    for part in parts:
        part.metadata_props.clear()
        part.doc_string = None
    for node in model.graph.all_nodes():
        for value in (*node.inputs, *node.outputs):
            if value is not None:
                value.metadata_props.clear()


def _take_weights_from(path: Path, model: onnx_ir.Model) -> None:
    """Let the network's weights stay where they are: in the safetensors file, whose layout is public.

    Source: https://github.com/huggingface/safetensors#format (length of the header, header, then the values).
    """
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    for name, value in model.graph.initializers.items():
        place = header.get(name.removeprefix("network."))
        if place is None or value.const_value is None:
            continue
        begin, end = place["data_offsets"]
        value.const_value = onnx_ir.ExternalTensor(
            path.name,
            offset=8 + length + begin,
            length=end - begin,
            dtype=value.const_value.dtype,
            shape=value.const_value.shape,
            name=name,
            base_dir=path.parent,
        )
