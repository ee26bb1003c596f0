"""One GPU: pairs/s of training, products/s of encoding, shares of its bfloat16 peak, quality beside the processor's.

Run: python benchmarks/gpu.py
Without a GPU it says so and measures nothing; `--processor` measures the processor in its place, to show that the
script works. A transformer of MiniLM's size (6 layers of 384, batches of `--batch` pairs, titles of a generated
catalogue) is trained from scratch. Floating-point operations are PyTorch's own count of a step and of an encoded
block; the peak is that of a product of two large bfloat16 matrices, measured in the same run. Quality: a small model
trained on both devices with three seeds, recall@10 of held-out queries; and cosines of vectors of one model.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch.utils.flop_counter import FlopCounterMode

from aisle.core.rng import generator
from aisle.encoders import TermEncoderConfig, TextEncoderConfig
from aisle.features import FeatureConfig, Featuriser, TokenConfig, product_text
from aisle.measures import Qrels
from aisle.simulation import generate_catalogue
from aisle.towers import TowerConfig, TowerNetwork, TwoTower
from aisle.training import TrainConfig, TrainingData, TrainingPairs, pseudo_query_pairs
from aisle.training.accelerating import training_device
from aisle.training.trainer import Trainer
from minilm import recall_of
from results_file import arguments, publish

LARGE = TextEncoderConfig(enabled=True, num_layers=6, hidden_dim=384, num_heads=12)
SMALL = TextEncoderConfig(enabled=True, num_layers=2, hidden_dim=128, num_heads=4)
TOKENS, SEEDS = 64, 3


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--batch", type=int, default=2048)
    parser.add_argument("--chunk", type=int, default=0, help="rows that are encoded at once (train.chunk_size)")
    parser.add_argument("--processor", action="store_true", help="measure the processor where there is no GPU")
    parser.add_argument(
        "--quality-of", type=int, metavar="STEPS", help="print the recalls of this device, nothing else"
    )
    options = parser.parse_args()
    if options.quality_of:
        print(" ".join(str(one) for one in recalls(options.quality_of)))
        return
    if not torch.cuda.is_available() and not options.processor:
        skipped = {"skipped": "no GPU that PyTorch can use"}
        options.no_save = True
        publish("gpu", skipped, ["Skipped: no GPU that PyTorch can use."], options)
        return
    quick = options.quick
    products, batch = (200, 32) if quick else (20_000, options.batch)
    peak = peak_flops(512 if quick else 8192)
    results: dict[str, object] = {"device": device_name(), "peak_bf16_tflops": round(peak / 1e12, 2), "batch": batch}
    with tempfile.TemporaryDirectory() as folder:
        trainer, table = make_trainer(Path(folder), LARGE, products=products, batch=batch, chunk=options.chunk)
        results |= training(trainer, peak, steps=3 if quick else 40)
        results |= encoding(trainer.model, table, peak, repeats=1 if quick else 5)
    results["quality"] = quality(2 if quick else 300)
    publish("gpu", results, lines(results), options)


def training(trainer: Trainer, peak: float, *, steps: int) -> dict[str, object]:
    """Time steps after a warm-up, and count the operations of one."""

    def step() -> None:
        trainer.step(trainer.batches.batch(trainer.progress.step))
        trainer.progress.step += 1

    step()
    with FlopCounterMode(display=False) as counter:
        step()
    seconds = [timed(step) for _ in range(steps)]
    rate = trainer.batches.batch_size / statistics.median(seconds)
    share = counter.get_total_flops() / statistics.median(seconds) / peak
    found: dict[str, object] = {"pairs_s": round(rate, 1), "training_share_of_peak": round(share, 4)}
    if trainer.device.type == "cuda":
        found["training_peak_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
    return found


def encoding(model: TwoTower, table: pa.Table, peak: float, *, repeats: int) -> dict[str, object]:
    """Time a catalogue whose features are made, in bfloat16 as an index is built; compare vectors with float32's."""
    features = model.product_features(table)
    exact = model.encode_product_features(features)
    model.use_bf16(True)
    with FlopCounterMode(display=False) as counter:
        vectors = model.encode_product_features(features)
    seconds = statistics.median([timed(lambda: model.encode_product_features(features)) for _ in range(repeats)])
    model.use_bf16(False)
    return {
        "products_s": round(table.num_rows / seconds, 1),
        "encoding_share_of_peak": round(counter.get_total_flops() / seconds / peak, 4),
        "min_cosine_to_float32": round(float((vectors * exact).sum(axis=1).min()), 6),
    }


def quality(steps: int) -> dict[str, object]:
    """Train the same on this device and on the processor alone, and compare recalls seed by seed."""
    ours = recalls(steps)
    command = [sys.executable, __file__, "--quality-of", str(steps)]
    hidden = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=hidden).stdout
    theirs = [float(one) for one in told.split()]
    differences = [one - other for one, other in zip(ours, theirs, strict=True)]
    return {
        "recall_10": ours,
        "processor_recall_10": theirs,
        "difference": round(float(np.mean(differences)), 4),
        "range": [round(min(differences), 4), round(max(differences), 4)],
    }


def recalls(steps: int) -> list[float]:
    """Return recall@10 of held-out queries of a small model, trained with each seed."""
    found, products = [], 2_000 if steps >= 100 else 100
    for seed in range(SEEDS):
        with tempfile.TemporaryDirectory() as folder:
            trainer, table = make_trainer(Path(folder), SMALL, products=products, batch=256, seed=seed)
            for number in range(steps):
                trainer.progress.planned_steps = steps
                trainer.step(trainer.batches.batch(number))
                trainer.progress.step += 1
            pairs = pairs_of(table, "held out", per_product=1)
            queries = pairs.queries.take(pa.array(pairs.query_index)).to_pylist()
            model = trainer.model
            vectors = model.encode_queries(queries), model.encode_products(table)
            found.append(recall_of(*vectors, np.asarray(pairs.product_index), k=10))
    return found


def make_trainer(
    folder: Path, text: TextEncoderConfig, *, products: int, batch: int, chunk: int = 0, seed: int = 0
) -> tuple[Trainer, pa.Table]:
    """Make the trainer of a model of a transformer alone, on pseudo-queries of a generated catalogue."""
    table = generate_catalogue(products, seed=1).products
    pairs = pairs_of(table, "train", per_product=20)
    config = FeatureConfig(tokens=TokenConfig(max_query_tokens=TOKENS, max_product_tokens=TOKENS))
    featuriser = Featuriser.fit(table, config, term=False, queries=pairs.queries)
    towers = TowerConfig(256, term=TermEncoderConfig(enabled=False), text=text)
    torch.manual_seed(seed)
    model = TwoTower(featuriser, TowerNetwork.build(towers, featuriser), towers)
    TrainingData.write(
        folder,
        featuriser=featuriser,
        products=table,
        texts=product_text(table),
        pairs=pairs,
        validation_queries=pairs.queries.slice(0, 1),
        validation_qrels=Qrels.from_triples(
            query_index=np.zeros(1, np.int64), product_index=pairs.product_index[:1], grade=np.ones(1), num_queries=1
        ),
    )
    settings = TrainConfig(batch_size=batch, min_steps=1, chunk_size=chunk, epochs=1000)
    return Trainer(model, TrainingData.read(folder), settings, folder=folder, seed=seed), table


def pairs_of(table: pa.Table, stream: str, *, per_product: int) -> TrainingPairs:
    """Cut pseudo-queries from the products."""
    rng = generator(0, stream)
    return pseudo_query_pairs(product_text(table), per_product=per_product, max_pairs=10**6, max_words=4, rng=rng)


def peak_flops(size: int) -> float:
    """Measure operations per second of a product of two square bfloat16 matrices."""
    matrix = torch.randn(size, size, device=training_device()).to(torch.bfloat16)
    for _ in range(3):
        matrix @ matrix
    return 2 * size**3 / min(timed(lambda: matrix @ matrix) for _ in range(10))


def timed(call: Callable[[], object]) -> float:
    """Return the seconds of a call, to its end on the GPU."""
    wait = torch.cuda.synchronize if torch.cuda.is_available() else lambda: None
    wait()
    started = time.perf_counter()
    call()
    wait()
    return time.perf_counter() - started


def device_name() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "processor"


def lines(results: dict[str, object]) -> list[str]:
    return ["| measured | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in results.items())]


if __name__ == "__main__":
    main()
