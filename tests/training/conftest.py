import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from aisle.encoders.config import (
    ContextEncoderConfig,
    GraphEncoderConfig,
    HistoryEncoderConfig,
    TermEncoderConfig,
    TextEncoderConfig,
)
from aisle.features import FeatureConfig, Featuriser, TermConfig, TokenConfig, product_text
from aisle.features.context import ContextFeaturiser
from aisle.mining import LogFiles, MinedLog, MiningConfig, mine_log
from aisle.tables import TIME
from aisle.towers import TowerConfig, TowerNetwork, TwoTower
from aisle.training import TrainConfig, TrainingData, TrainingPairs
from aisle.training.log_data import Limits
from aisle.training.logged import searched_pairs, searched_validation
from aisle.training.validation_sets import qrels_of_pairs

_KINDS = ("sofa", "lamp", "desk", "chair", "shelf", "rug", "bench", "mirror")
_ALIASES = ("couch", "lantern", "bureau", "throne", "rack", "carpet", "pew", "glass")
_COLOURS = ("red", "blue", "green", "black", "white")
_STUFFS = ("oak", "wool", "steel")


@pytest.fixture(autouse=True)
def _one_thread():
    """Models this small only wait for a second thread."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.fixture(scope="session")
def products():
    """120 products: kind, colour and material in the title; a brand; every third has attributes."""
    rows = [(kind, colour, stuff) for kind in _KINDS for colour in _COLOURS for stuff in _STUFFS]
    titles = [f"{colour} {kind} {stuff}" for kind, colour, stuff in rows]
    return pa.table(
        {
            "product_id": [f"p{i}" for i in range(len(rows))],
            "title": titles,
            "brand": [("Norvik", "Belmora")[i % 2] for i in range(len(rows))],
            "attributes": pa.array(
                [[("finish", "matt")] if i % 3 == 0 else [] for i in range(len(rows))],
                pa.map_(pa.string(), pa.string()),
            ),
        }
    )


@pytest.fixture(scope="session")
def alias_pairs(products):
    """Shoppers' words for kinds, which no product holds: what only training can teach. 5 colours × 8 kinds queries."""
    titles = products.column("title").to_pylist()
    texts, product = [], []
    for index, title in enumerate(titles):
        colour, kind, _ = title.split()
        texts.append(f"{colour} {_ALIASES[_KINDS.index(kind)]}")
        product.append(index)
    weight = np.where(np.arange(len(texts)) % 4 == 0, 1.0, 0.5).astype(np.float32)
    return TrainingPairs.from_texts(pa.array(texts), np.array(product), weight)


@pytest.fixture(scope="session")
def featuriser(products, alias_pairs):
    config = FeatureConfig(
        term=TermConfig(num_buckets=4096, stemmer=None, max_query_ngrams=30, max_product_ngrams=60),
        tokens=TokenConfig(max_query_tokens=8, max_product_tokens=12, vocabulary_size=300),
    )
    return Featuriser.fit(products, config, term=True, text=True, queries=alias_pairs.queries)


@pytest.fixture(scope="session")
def write_features(featuriser, products, alias_pairs, tmp_path_factory):
    """Write training data into a folder; what is not given is the shop of the other fixtures."""

    def write(*, products=products, pairs=alias_pairs, queries=None, qrels=None, featuriser=featuriser):
        folder = tmp_path_factory.mktemp("features")
        every_query = np.arange(len(pairs.queries))
        TrainingData.write(
            folder,
            featuriser=featuriser,
            products=products,
            texts=product_text(products),
            pairs=pairs,
            validation_queries=pairs.queries if queries is None else queries,
            validation_qrels=qrels_of_pairs(pairs, every_query) if qrels is None else qrels,
        )
        return folder

    return write


@pytest.fixture(scope="session")
def write_data(write_features):
    """Write training data and map it back."""
    return lambda **changes: TrainingData.read(write_features(**changes))


@pytest.fixture(scope="session")
def data(write_data):
    """120 pairs over 120 products; the training queries themselves validate."""
    return write_data()


@pytest.fixture(scope="session")
def make_model(featuriser):
    """Build a small untrained model; the same seed gives the same weights."""

    def make(*, term=True, text=True, fusion="post", dropout=0.0, seed=0):
        towers = TowerConfig(
            embedding_dim=16,
            fusion=fusion,
            term=TermEncoderConfig(enabled=term, dropout=dropout, learning_rate=0.02),
            text=TextEncoderConfig(
                enabled=text, num_layers=1, hidden_dim=16, num_heads=2, dropout=dropout, learning_rate=0.01
            ),
        )
        torch.manual_seed(seed)
        return TwoTower(featuriser, TowerNetwork.build(towers, featuriser), towers)

    return make


@pytest.fixture(scope="session")
def make_config():
    """Settings of a short run: 7 steps per epoch on the pairs of `data`, 21 in all, a validation after 3, 6, 9 …."""

    def make(**changes):
        values = {
            "batch_size": 16,
            "epochs": 3,
            "min_steps": 1,
            "max_minutes": 1000.0,
            "temperature": 0.1,
            "batch_weight": 1.0,
            "uniform_weight": 0.5,
            "num_uniform": 16,
            "log_q": True,
            "fusion_learning_rate": 0.01,
            "weight_decay": 0.01,
            "warmup_share": 0.1,
            "gradient_clip": 10.0,
            "validations_per_epoch": 2,
            "patience": 100,
            "checkpoint_minutes": 1000.0,
            "bf16": False,
        }
        return TrainConfig(**{**values, **changes})

    return make


_NUM_SEARCHES = 400
_MINUTE_US = 60_000_000
_START_US = 1_735_689_600_000_000


def _log_tables(products, changed_from, orders):
    """One search a minute by 9 actors; what is acted on from a minute on is chosen otherwise where asked for."""
    rng, titles = np.random.default_rng(5), products.column("title").to_pylist()
    searches, impressions = [], []
    for number in range(_NUM_SEARCHES):
        shown = rng.choice(len(titles), 5, replace=False)
        acted = rng.permutation(5)[:2]
        if changed_from is not None and number >= changed_from:
            acted = (acted + 1) % 5
        colour, kind, _ = titles[shown[0]].split()
        at = _START_US + number * _MINUTE_US
        actor = f"u{number % 9}" if number % 9 else None
        searches.append((f"s{number}", f"{colour} {_ALIASES[_KINDS.index(kind)]}", at, actor, "DE"))
        for place, product in enumerate(shown):
            clicked = at + 1_000_000 if place in acted else None
            ordered = at + 2_000_000 if orders and place == acted[0] else None
            impressions.append((f"s{number}", f"p{product}", place + 1, clicked, ordered, 1 / (place + 1)))
    return searches, impressions


def _write_rows(path, names, rows):
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    types = {name: TIME for name in names if name.endswith("_at")} | {"position": pa.int32()}
    typed = {name: pa.array(values, types.get(name)) for name, values in columns.items()}
    pq.write_table(pa.table(typed), path)
    return path


@pytest.fixture(scope="session")
def mined_log(products, tmp_path_factory):
    """Mine a small log; with `changed_from` what is acted on from that search on differs, with the same windows."""

    def mine(changed_from=None, *, orders=True):
        folder = tmp_path_factory.mktemp("log")
        searches, impressions = _log_tables(products, changed_from, orders)
        pq.write_table(products, folder / "products.parquet")
        files = LogFiles(
            products=folder / "products.parquet",
            searches=_write_rows(
                folder / "searches.parquet", ("search_id", "query", "searched_at", "user_id", "location"), searches
            ),
            impressions=_write_rows(
                folder / "impressions.parquet",
                ("search_id", "product_id", "position", "clicked_at", "ordered_at", "propensity"),
                impressions,
            ),
        )
        out = folder / "mined"
        out.mkdir()
        mine_log(files, out, MiningConfig(num_slices=4), advance=lambda num, note="", *, total=None: None)
        return MinedLog(out)

    return mine


@pytest.fixture(scope="session")
def log_features(mined_log, products, featuriser, tmp_path_factory):
    """Write training data that is learnt search by search, with all features, into a folder."""

    def write(changed_from=None, *, orders=True, **beside):
        mined = mined_log(changed_from, orders=orders)
        context = ContextFeaturiser.fit(products, featuriser.config.context, locations=pa.array(["DE", "DE"]))
        full = Featuriser(featuriser.config, featuriser.terms, None, context=context)
        folder = tmp_path_factory.mktemp("log_features")
        rows, qrels, _ = searched_validation(mined, most=50)
        TrainingData.write(
            folder,
            featuriser=full,
            products=products,
            texts=product_text(products),
            pairs=searched_pairs(mined),
            validation_queries=rows,
            validation_qrels=qrels,
            log=(mined, Limits(neighbours=4, events=5)),
            **beside,
        )
        return folder, full

    return write


@pytest.fixture(scope="session")
def log_data(log_features):
    """Training data that is learnt search by search, with all features."""

    def write(changed_from=None, **changes):
        folder, full = log_features(changed_from, **changes)
        return TrainingData.read(folder), full

    return write


@pytest.fixture(scope="session")
def make_log_model():
    """Build a small model with the channels of a log."""

    def make(featuriser, *, graph=True, context=True, history=True, seed=0, vectors="frozen", num_known=None):
        towers = TowerConfig(
            embedding_dim=24,
            term=TermEncoderConfig(learning_rate=0.02),
            graph=GraphEncoderConfig(enabled=graph, neighbours=4, vectors=vectors),
            context=ContextEncoderConfig(enabled=context, hidden_dim=8),
            history=HistoryEncoderConfig(enabled=history, events=5, dim=8),
        )
        torch.manual_seed(seed)
        return TwoTower(featuriser, TowerNetwork.build(towers, featuriser, num_known=num_known), towers)

    return make
