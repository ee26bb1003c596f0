"""A Hugging Face encoder as a graph of nodes, traced by torch's exporter."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import onnx_ir
import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from aisle.encoders import PretrainedTransformer
from aisle.towers.graph_ops import SavedWeights

__all__ = ["transformer_graph"]

_SEVERAL = 3
"""Tokens of the example that is traced: the tracer takes 1 for a constant."""


class _OneText(nn.Module):
    """Encodes one text, none of its tokens padding."""

    def __init__(self, transformer: PretrainedTransformer) -> None:
        super().__init__()
        self.transformer = transformer

    def forward(self, ids: Int64[Tensor, "1 tokens"]) -> Float[Tensor, "1 tokens hidden"]:
        encoded: Tensor = self.transformer(ids, torch.ones_like(ids, dtype=torch.bool))
        return encoded


def transformer_graph(
    transformer: PretrainedTransformer, saved: SavedWeights, *, opset: int, prefix: str
) -> onnx_ir.Graph:
    """Trace an encoder from `tokens` [1, tokens] to the graph's only output, [1, tokens, hidden].

    Args:
        transformer: On any device, set to evaluation.
        saved: Where its weights are.
        opset: Version of the operators.
        prefix: What stands before the names of its weights there.

    Raises:
        torch.onnx.OnnxExporterError: If the exporter cannot follow what the encoder does.
    """
    device = next(transformer.parameters()).device
    most = None if transformer.max_tokens > torch.iinfo(torch.int32).max else transformer.max_tokens
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            _OneText(transformer).eval(),
            (torch.zeros(1, _SEVERAL, dtype=torch.int64, device=device),),
            dynamo=True,
            input_names=["tokens"],
            output_names=["hidden"],
            dynamic_shapes=({1: torch.export.Dim("tokens", min=1, max=most)},),
            opset_version=opset,
            optimize=False,  # it would copy and transpose weights; the session does so when it is loaded
            verbose=False,
        )
    assert program is not None
    graph: onnx_ir.Graph = program.model.graph
    _forget_origin(graph)
    for name, value in graph.initializers.items():
        known = prefix + name.removeprefix("transformer.")
        if known in saved:
            value.const_value = saved.tensor(known)
    return graph


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


def _forget_origin(graph: onnx_ir.Graph) -> None:
    """Drop the exporter's notes: they hold paths of this machine, and would differ from one to the next."""
    graph.metadata_props.clear()
    graph.doc_string = None
    for node in graph.all_nodes():
        node.metadata_props.clear()
        node.doc_string = None
        for value in (*node.inputs, *node.outputs):
            if value is not None:
                value.metadata_props.clear()
