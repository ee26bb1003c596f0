"""Encode a query with an exported model, by ONNX Runtime, and find its nearest products.

Run: python encode_query.py "walnut desk lamp" [--location de]

It needs `aisle` for cutting texts into features (no PyTorch is loaded), NumPy, PyArrow and ONNX Runtime.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq

from aisle.core.config import config_from_dict
from aisle.core.text import normalise_text
from aisle.features import FeatureConfig, Featuriser

__all__ = ["ExportedEncoder", "main"]

_TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(bool)": np.bool_}
_YES = np.ones((1, 1), np.bool_)


class ExportedEncoder:
    """Encodes one query at a time.

    Args:
        folder: What `aisle export` wrote.
    """

    def __init__(self, folder: Path) -> None:
        spec = json.loads((folder / "features" / "spec.json").read_text(encoding="utf-8"))
        self._featuriser = Featuriser.load(folder / "features", spec, config_from_dict(FeatureConfig, spec["config"]))
        self._session = onnxruntime.InferenceSession(folder / "query.onnx", providers=["CPUExecutionProvider"])
        self._queries = _read(folder / "known_queries.parquet")
        self._products = _read(folder / "neighbour_vectors.parquet")
        texts = self._queries.column("query").to_pylist() if self._queries is not None else []
        self._row = {text: row for row, text in enumerate(texts)}

    def inputs(self, text: str, *, location: str | None = None) -> dict[str, np.ndarray]:
        """Return what the graph reads: whatever is not known is one entry that means nothing, and said to be so."""
        made: dict[str, np.ndarray] = {
            one.name: np.zeros([size if isinstance(size, int) else 1 for size in one.shape], _TYPES[one.type])
            for one in self._session.get_inputs()
        }
        locations = pa.array([location], pa.string())
        features = self._featuriser.queries(pa.array([text]), locations=locations)
        if features.terms is not None and len(features.terms.bucket):
            found = {"ngrams": features.terms.bucket.astype(np.int64), "ngram_weights": features.terms.weight[None]}
            made |= {**found, "has_ngrams": _YES}
        if features.tokens is not None:
            made["tokens"] = features.tokens.ids[:, : int(features.tokens.length[0])].astype(np.int64)
        if features.context is not None and (features.context.ids >= 0).any():
            known = features.context.ids[features.context.ids >= 0]
            made |= {"place_fields": known.astype(np.int64), "has_place": _YES}
        return made | self._neighbours(text)

    def encode(self, text: str, *, location: str | None = None) -> np.ndarray:
        """Return the query's vector: its inner product with a product's vector is the product's score."""
        vector: np.ndarray = self._session.run(None, self.inputs(text, location=location))[0]
        return vector[0]

    def _neighbours(self, text: str) -> dict[str, np.ndarray]:
        row = self._row.get(normalise_text(text))
        if row is None or self._queries is None or self._products is None:
            return {}
        known = self._queries.slice(row, 1)
        products = self._products.take(known.column("product_row")[0].values)
        weight = np.asarray(known.column("weight")[0].values, np.float32)
        found = {"neighbours": _matrix(products.column("vector")), "neighbour_weight": weight[None]}
        if "learnt" in products.column_names:
            found["neighbour_rows"] = _matrix(products.column("learnt"))
        return {**found, "has_neighbours": _YES}


def _read(path: Path) -> pa.Table | None:
    return pq.read_table(path) if path.exists() else None


def _matrix(column: pa.ChunkedArray) -> np.ndarray:
    values = column.combine_chunks()
    return np.asarray(values.flatten(), np.float32).reshape(len(values), -1)


def main() -> None:
    """Encode the query of the command line and print its nearest products."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("query")
    parser.add_argument("--location")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    vector = ExportedEncoder(options.folder).encode(options.query, location=options.location)
    products = pq.read_table(options.folder / "vectors.parquet")
    scores = _matrix(products.column("vector")) @ vector
    best = np.argsort(-scores, kind="stable")[:10]
    for row in best.tolist():
        print(f"{scores[row]:8.4f}  {products.column('product_id')[row].as_py()}")


if __name__ == "__main__":
    main()
