"""Training speed and memory on features of stated sizes, and MiniLM against sentence-transformers' own trainer.

Run: python benchmarks/training.py
Or:  python benchmarks/training.py --products 1000000   (memory alone, with all channels)
Times the trainer's own step (batch, masks, forward, loss, backward, clip, optimisers) at batch 512: 30 query and 80
product n-grams, 131k buckets drawn with Zipf-like frequencies, as n-grams have. `term_only` and `small_transformer`
have in-batch negatives alone; `all_channels` has the default recipe's losses and negatives, the small transformer, 20
events and 10 neighbours in every row. The part `minilm` needs the packages of `aisle[peers]`.
"""

from __future__ import annotations

import dataclasses
import resource
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from scipy import sparse

import minilm
from aisle.core.rng import generator
from aisle.encoders import TermEncoderConfig, TextEncoderConfig
from aisle.features import (
    ContextFeaturiser,
    FeatureConfig,
    Features,
    Featuriser,
    TermConfig,
    Terms,
    TokenConfig,
    Tokens,
)
from aisle.measures import Qrels
from aisle.pipelines.recipe import load_recipe
from aisle.towers import LOG_CHANNELS, TowerConfig, TowerNetwork, TwoTower
from aisle.training import TrainConfig, TrainingData, TrainingPairs, Validation
from aisle.training.trainer import Trainer
from all_channels import Sizes, write_training_data
from results_file import arguments, publish

BATCH, QUERY_NGRAMS, PRODUCT_NGRAMS, DIM, BUCKETS = 512, 30, 80, 128, 131_072
QUERY_TOKENS, PRODUCT_TOKENS, VOCABULARY = 16, 32, 8_000
FEATURES = FeatureConfig(
    term=TermConfig(num_buckets=BUCKETS, max_query_ngrams=QUERY_NGRAMS, max_product_ngrams=PRODUCT_NGRAMS),
    tokens=TokenConfig(max_query_tokens=QUERY_TOKENS, max_product_tokens=PRODUCT_TOKENS, vocabulary_size=VOCABULARY),
)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--products", type=int, help="measure the memory of training on so many products, nothing else")
    options = parser.parse_args()
    if options.products:
        measured = measure_memory(options.products, steps=2 if options.quick else 50)
        line = [f"- {name}: {value:,}" for name, value in measured.items()]
        publish("training_memory", measured, line, options)
        return
    steps, repeats = (6, 1) if options.quick else (40, 5)
    results: dict[str, object] = {"batch_size": BATCH}
    for key, text in (("term_only_pairs_s", False), ("small_transformer_pairs_s", True)):
        rates = pairs_per_second(text=text, steps=steps, repeats=repeats)
        results[key] = round(statistics.median(rates), 1)
        results[f"{key}_range"] = [round(min(rates), 1), round(max(rates), 1)]
    table = ["| model | pairs/s (median) | range |", "|---|---|---|"]
    for name, key in (("term only", "term_only_pairs_s"), ("term + 2-layer transformer", "small_transformer_pairs_s")):
        low, high = results[f"{key}_range"]
        table.append(f"| {name} | {results[key]:,.0f} | {low:,.0f} – {high:,.0f} |")
    whole = all_channels(steps=steps, repeats=repeats, text=True)
    results |= whole
    results["without_transformer"] = rest = all_channels(steps=steps, repeats=repeats, text=False)
    for name, found in (("all channels", whole), ("all channels but the transformer", rest)):
        low, high = found["all_channels_pairs_s_range"]
        label = f"{name}, {found['encodes_per_pair']:.2f} encodes a pair"
        table.append(f"| {label} | {found['all_channels_pairs_s']:,.0f} | {low:,.0f} – {high:,.0f} |")
    results["minilm"] = minilm.measure_training(
        steps=4 if options.quick else 40, products=100 if options.quick else 2_000
    )
    table += ["", *minilm.training_table(results["minilm"])]
    publish("training", results, table, options)


def all_channels(*, steps: int, repeats: int, text: bool) -> dict[str, object]:
    """Time the default recipe with every channel, or with all but the transformer, as it is by default."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = channels_trainer(Path(folder), products=20_000, text=text)
        trainer.fill_tables()
        run_steps(trainer, 3)
        before = trainer.objective.encoded
        rates = [steps * BATCH / run_steps(trainer, steps) for _ in range(repeats)]
        per_pair = (trainer.objective.encoded - before) / (steps * repeats * BATCH)
    median = statistics.median(rates)
    return {
        "all_channels_pairs_s": round(median, 1),
        "all_channels_pairs_s_range": [round(min(rates), 1), round(max(rates), 1)],
        "encodes_per_pair": per_pair,
        "encodes_s": round(median * per_pair, 1),
    }


def measure_memory(products: int, *, steps: int) -> dict[str, object]:
    """Train on features mapped from disk, validation and a refresh of the vector tables included."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = channels_trainer(Path(folder), products=products)
        drawn_gb = peak_gb()
        trainer.progress.planned_steps = steps
        result = trainer.run()
    return {
        "products": products,
        "steps": result.steps,
        "buckets": BUCKETS,
        "peak_gb": peak_gb(),
        "peak_before_training_gb": drawn_gb,
        "minutes": round(result.minutes, 1),
    }


def peak_gb() -> float:
    """Return the most memory that this process has held so far, in 10⁹ bytes; pages of mapped files count too."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9, 2)


def channels_trainer(folder: Path, *, products: int, text: bool = True) -> Trainer:
    """Build a trainer of the default recipe, with or without the small transformer, on a drawn log."""
    # The drawn log is short: without the last setting, batches would be made smaller than BATCH.
    settings = [f"text.enabled={str(text).lower()}", "pairs.by_search=true", "train.min_steps=1"]
    recipe = load_recipe(None, settings)
    words = words_table()
    shop = {
        "category": [["all", f"category {row % 50}"] for row in range(words.num_rows)],
        "brand": [f"brand {row % 500}" for row in range(words.num_rows)],
        "location": [("DE", "FR")[row % 2] for row in range(words.num_rows)],
        "price": np.arange(words.num_rows, dtype=np.float64),
    }
    context = ContextFeaturiser.fit(pa.table(shop), recipe.features.context)
    towers = recipe.towers(LOG_CHANNELS)
    featuriser = Featuriser.fit(words, FEATURES, context=context, text=text)
    torch.manual_seed(0)
    model = TwoTower(featuriser, TowerNetwork.build(towers, featuriser), towers)
    sizes = Sizes(
        products=products,
        queries=max(20_000, products // 10),
        searches=max(60_000, products // 10),
        query_ngrams=QUERY_NGRAMS,
        product_ngrams=PRODUCT_NGRAMS,
        query_tokens=QUERY_TOKENS,
        product_tokens=PRODUCT_TOKENS,
        buckets=BUCKETS,
    )
    return Trainer(model, write_training_data(folder, sizes, context), recipe.train, folder=folder, seed=0)


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
