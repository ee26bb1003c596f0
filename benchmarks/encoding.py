"""Latency of one query with the small model (term + 2-layer transformer), and catalogues with MiniLM against its peer.

Run: python benchmarks/encoding.py
Queries: each call takes one that was not encoded before, features included; one process, no cache, one thread.
Catalogues: `TwoTower.encode_products` as indexes are built (`encode.precision=auto`) beside float32 and
`SentenceTransformer.encode` at its defaults, the same weights and texts, all cores. They need `aisle[peers]`.
"""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

import minilm
from aisle.encoders import TextEncoderConfig
from aisle.features import FeatureConfig, Featuriser
from aisle.simulation import generate_catalogue
from aisle.towers import TowerConfig, TowerNetwork, TwoTower
from results_file import arguments, publish


def main() -> None:
    options = arguments(__doc__).parse_args()
    found = minilm.measure_encoding(
        generate_catalogue(60 if options.quick else 4_000, seed=1).products, block=20 if options.quick else 500
    )
    torch.set_num_threads(1)
    catalogue = generate_catalogue(5_000, seed=0)
    featuriser = Featuriser.fit(catalogue.products, FeatureConfig())
    config = TowerConfig(text=TextEncoderConfig(enabled=True))
    with TemporaryDirectory() as folder:  # as a service has it: from the folder of a model
        TwoTower(featuriser, TowerNetwork.build(config, featuriser), config).save(Path(folder))
        model = TwoTower.load(Path(folder))
    queries = pseudo_queries(catalogue.products.column("title").to_pylist(), 200 if options.quick else 3_000)
    for query in queries[:50]:
        model.encode_queries([query])
    took_ms = np.array([one(model, query) for query in queries[50:]])
    p50, p99 = np.percentile(took_ms, [50, 99])
    results: dict[str, object] = {
        "query_ms_p50": round(float(p50), 3),
        "query_ms_p99": round(float(p99), 3),
        "queries": len(took_ms),
    }
    results["minilm"] = found
    table = ["| queries | p50 ms | p99 ms |", "|---|---|---|", f"| {len(took_ms):,} | {p50:.3f} | {p99:.3f} |"]
    table += ["", *(f"- MiniLM {name}: {value}" for name, value in found.items())]
    publish("encoding", results, table, options)


def pseudo_queries(titles: list[str], count: int) -> list[str]:
    """Take two to four words from the middle of titles, all distinct."""
    found = dict.fromkeys(" ".join(title.split()[1 : 3 + i % 3]) for i, title in enumerate(titles))
    return [query for query in found if query][:count]


def one(model: TwoTower, query: str) -> float:
    """Encode one query and return its milliseconds."""
    started = time.perf_counter()
    model.encode_queries([query])
    return (time.perf_counter() - started) * 1e3


if __name__ == "__main__":
    main()
