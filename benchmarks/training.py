"""Training speed at batch 512: in-batch negatives, 30 query and 80 product n-grams, 128 dimensions, 131k buckets.

Run: python benchmarks/training.py
Times the trainer's own step (batch, masks, forward, loss, backward, clip, optimisers) on features of exactly these
sizes; buckets are drawn with Zipf-like frequencies, as n-grams have. Speed only: quality stands in icecat.py.
"""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from scipy import sparse

from aisle.core.rng import generator
from aisle.encoders import TermEncoderConfig, TextEncoderConfig
from aisle.features import FeatureConfig, Features, Featuriser, TermConfig, Terms, TokenConfig, Tokens
from aisle.measures import Qrels
from aisle.towers import TowerConfig, TowerNetwork, TwoTower
from aisle.training import TrainConfig, TrainingData, TrainingPairs, Validation
from aisle.training.trainer import Trainer
from results_file import arguments, publish

BATCH, QUERY_NGRAMS, PRODUCT_NGRAMS, DIM, BUCKETS = 512, 30, 80, 128, 131_072
QUERY_TOKENS, PRODUCT_TOKENS, VOCABULARY = 16, 32, 8_000
FEATURES = FeatureConfig(
    term=TermConfig(num_buckets=BUCKETS, max_query_ngrams=QUERY_NGRAMS, max_product_ngrams=PRODUCT_NGRAMS),
    tokens=TokenConfig(max_query_tokens=QUERY_TOKENS, max_product_tokens=PRODUCT_TOKENS, vocabulary_size=VOCABULARY),
)


def main() -> None:
    options = arguments(__doc__).parse_args()
    steps, repeats = (6, 1) if options.quick else (40, 5)
    results: dict[str, object] = {"batch_size": BATCH, "encodes_per_pair": 2.0}
    for key, text in (("term_only_pairs_s", False), ("small_transformer_pairs_s", True)):
        rates = pairs_per_second(text=text, steps=steps, repeats=repeats)
        results[key] = round(statistics.median(rates), 1)
        results[f"{key}_range"] = [round(min(rates), 1), round(max(rates), 1)]
    table = ["| model | pairs/s (median) | range |", "|---|---|---|"]
    for name, key in (("term only", "term_only_pairs_s"), ("term + 2-layer transformer", "small_transformer_pairs_s")):
        low, high = results[f"{key}_range"]
        table.append(f"| {name} | {results[key]:,.0f} | {low:,.0f} – {high:,.0f} |")
    publish("training", results, table, options)


def pairs_per_second(*, text: bool, steps: int, repeats: int) -> list[float]:
    """Time `repeats` runs of `steps` steps, after a warm-up, and return pairs per second of each."""
    config = TrainConfig(batch_size=BATCH, uniform_weight=0.0, min_steps=1)
    half = TextEncoderConfig(enabled=text, num_layers=2, hidden_dim=128, num_heads=4)
    towers = TowerConfig(embedding_dim=2 * DIM if text else DIM, term=TermEncoderConfig(), text=half)
    featuriser = Featuriser.fit(words_table(), FEATURES, text=text)
    model = TwoTower(featuriser, TowerNetwork.build(towers, featuriser), towers)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(model, training_data(text=text), config, folder=Path(folder), seed=0)
        run_steps(trainer, 5)
        return [steps * BATCH / run_steps(trainer, steps) for _ in range(repeats)]


def run_steps(trainer: Trainer, steps: int) -> float:
    """Do steps and return their seconds."""
    started = time.perf_counter()
    for _ in range(steps):
        trainer.step(trainer.batches.batch(trainer.progress.step))
        trainer.progress.step += 1
    return time.perf_counter() - started


def words_table() -> pa.Table:
    """Make texts with enough distinct words for the tokenizer to fill its vocabulary."""
    letters = np.array(list("etaoinshrdlucm"))
    rng = generator(0, "words")
    words = ["".join(rng.choice(letters, size=5)) for _ in range(2 * VOCABULARY)]
    return pa.table({"title": [" ".join(words[i : i + 8]) for i in range(0, len(words), 8)] * 2})


def training_data(*, text: bool, num_products: int = 50_000, num_queries: int = 50_000) -> TrainingData:
    """Make features of the stated sizes, one pair per query."""
    rng = generator(0, "features")
    product = rng.integers(0, num_products, num_queries)
    queries = features(num_queries, QUERY_NGRAMS, QUERY_TOKENS, rng, text=text)
    return TrainingData(
        query_features=queries,
        product_features=features(num_products, PRODUCT_NGRAMS, PRODUCT_TOKENS, rng, text=text),
        pairs=TrainingPairs(
            queries=pa.array([str(row) for row in range(num_queries)]),
            query_index=np.arange(num_queries),
            product_index=product,
            weight=np.ones(num_queries, np.float32),
        ),
        query_words=word_rows(num_queries, 3, rng),
        product_words=word_rows(num_products, 20, rng),
        validation=Validation(
            dataclasses.replace(queries.take(np.arange(1))),
            Qrels.from_triples(query_index=np.array([0]), product_index=product[:1], grade=np.ones(1), num_queries=1),
        ),
    )


def features(rows: int, ngrams: int, tokens: int, rng: np.random.Generator, *, text: bool) -> Features:
    """Draw features: exactly `ngrams` n-grams a row, and 4 to `tokens` tokens."""
    bucket = (rng.zipf(1.3, rows * ngrams) * 2_654_435_761 % BUCKETS).astype(np.int32)
    terms = Terms(np.arange(rows + 1, dtype=np.int64) * ngrams, bucket, np.ones(rows * ngrams, np.float32))
    if not text:
        return Features(terms, None)
    length = np.minimum(rng.integers(tokens // 4, tokens + 1, rows), tokens).astype(np.int64)
    length[::8] = tokens
    return Features(terms, Tokens(rng.integers(5, 4_000, (rows, tokens)).astype(np.int32), length))


def word_rows(rows: int, words: int, rng: np.random.Generator) -> sparse.csr_matrix:
    """Draw which words each text holds."""
    column = rng.integers(0, 20_000, rows * words)
    matrix = sparse.csr_matrix((np.ones(rows * words, np.int32), column, np.arange(rows + 1) * words), (rows, 20_000))
    matrix.sum_duplicates()
    matrix.data[:] = 1
    return matrix


if __name__ == "__main__":
    main()
