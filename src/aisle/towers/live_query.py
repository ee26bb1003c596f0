"""One search at a time through ONNX Runtime, where torch would spend more on its calls than on their arithmetic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from jaxtyping import Float32

from aisle.core.errors import ModelError
from aisle.features import Context, Features, Terms, Tokens
from aisle.towers.network import TowerNetwork
from aisle.towers.query_graph import QUERY_GRAPH
from aisle.towers.query_inputs import QueryInputs
from aisle.towers.vector_tables import VectorTables

__all__ = ["LiveQuery"]

_NOTHING = Features(
    terms=Terms(np.zeros(2, np.int64), np.empty(0, np.int32), np.empty(0, np.float32)),
    tokens=Tokens(np.zeros((1, 1), np.int32), np.ones(1, np.int64)),
    context=Context(np.full((1, 2), -1, np.int32)),
)


class LiveQuery:
    """Encodes one search through the graph that `write_query_graph` wrote, in float32, on the caller's thread.

    Several threads may call it at once.

    Args:
        session: The graph.
        inputs: Looks up what it reads.
    """

    def __init__(self, session: onnxruntime.InferenceSession, inputs: QueryInputs) -> None:
        self._session, self._inputs = session, inputs

    @classmethod
    def load(cls, folder: Path, network: TowerNetwork) -> LiveQuery | None:
        """Read the graph of a model's folder; None where there is none: a model does without, more slowly.

        Raises:
            ModelError: If the graph is damaged or of another network.
        """
        path = folder / QUERY_GRAPH
        if not path.is_file():
            return None
        options = onnxruntime.SessionOptions()
        # A search is too small to share, and the threads of a service are busy with other searches.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            live = cls(session, QueryInputs(network))
            live.encode(_NOTHING, None)
        except Exception as error:  # the library raises its own bare exceptions for every kind of damage
            raise ModelError(
                "The graph of the query tower must be that of the model's network",
                received={"path": str(path), "problem": str(error).partition("\n")[0]},
                remedy="Train the model again, or delete the file: queries are then encoded without it, more slowly.",
            ) from error
        return live

    def encode(self, features: Features, tables: VectorTables | None) -> Float32[np.ndarray, "1 dim"]:
        """Encode one search into its served vector.

        Args:
            features: Features of the search, one row of each kind that the network reads.
            tables: What neighbours and past events are rows of; without them they are not known.
        """
        vector: np.ndarray = self._session.run(None, self._inputs.of(features, tables))[0]
        return vector
