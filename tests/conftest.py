"""One small shop, built once, of which every test that changes something takes a copy."""

import os
import shutil
import sys
from types import SimpleNamespace

import pytest
from hypothesis import settings

# No test measures time: on a busy machine any example may take longer than the library allows.
settings.register_profile("aisle", deadline=None)
settings.load_profile("aisle")

os.environ.setdefault("HF_HUB_OFFLINE", "1")
# Threads that spin while they wait make steps of a few milliseconds many times slower where cores are shared.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

_TINY = {
    "embedding_dim": 32,
    "features.term.num_buckets": 4096,
    "features.tokens.vocabulary_size": 500,
    "features.tokens.max_query_tokens": 8,
    "features.tokens.max_product_tokens": 12,
    "text.enabled": "true",
    "text.num_layers": 1,
    "text.hidden_dim": 16,
    "text.num_heads": 2,
    "text.share": 1,
    "pairs.pseudo_per_product": 2,
    "train.epochs": 1,
    "train.batch_size": 64,
    "train.num_uniform": 32,
    "train.min_steps": 1,
}


_SERVED = shutil.ignore_patterns("versions", "journal")
"""What a test that serves a shared shop leaves in it."""


@pytest.fixture(scope="session")
def tiny():
    """Overrides that make a model of seconds; `tiny(seed=1)` adds others, with `__` for the dot."""

    def overrides(**more):
        changed = {name.replace("__", "."): value for name, value in more.items()}
        return [f"{name}={value}" for name, value in {**_TINY, **changed}.items()]

    return overrides


@pytest.fixture(scope="session")
def tiny_recipe(tiny):
    """The settings of `tiny` as a recipe."""
    from aisle.pipelines.recipe import load_recipe

    return lambda **more: load_recipe(None, tiny(**more))


@pytest.fixture(scope="session")
def simulated():
    """300 generated products with graded queries, half of them for validation, half for test."""
    from aisle.simulation import generate_catalogue

    return generate_catalogue(300, seed=0)


@pytest.fixture(scope="session")
def import_shop(simulated):
    """Import tables in memory, the generated ones where none are given, into a workspace that may be new."""
    from aisle.pipelines.importing import import_tables
    from aisle.sources import SourceTables
    from aisle.tables import parse_grades
    from aisle.workspace import Workspace

    def imported(path, *, products=simulated.products, judgments=simulated.judgments, grades=None):
        workspace = Workspace.open(path, create=True)
        tables = {"products": products, "judgments": judgments}
        source = SourceTables({name: table for name, table in tables.items() if table is not None}, {}, {})
        import_tables(workspace, source, grades=parse_grades(grades) if grades else None)
        return workspace

    return imported


@pytest.fixture(scope="session")
def _built_shop(tmp_path_factory, import_shop, tiny_recipe):
    from aisle.pipelines.indexing import build_indexes
    from aisle.pipelines.training import train_model

    path = tmp_path_factory.mktemp("built") / "shop"
    workspace = import_shop(path)
    train_model(workspace, tiny_recipe())
    build_indexes(workspace, tiny_recipe())
    return path


@pytest.fixture(scope="session")
def built_shop(_built_shop):
    """The small shop, imported, trained and indexed; for reading only."""
    from aisle.workspace import Workspace

    return Workspace.open(_built_shop)


@pytest.fixture
def shop(_built_shop, tmp_path):
    """A copy of the small shop, to be changed."""
    from aisle.workspace import Workspace

    shutil.copytree(_built_shop, tmp_path / "shop", ignore=_SERVED)
    return Workspace.open(tmp_path / "shop")


@pytest.fixture(scope="session")
def _learnt_shop(tmp_path_factory):
    """240 searches for 30 products, one an hour; each is answered by an order of the product of its number.

    Nobody ever saw p30, and p31's title has no word in it. The last search is the only one of client c0.
    """
    import datetime

    import pyarrow as pa

    from aisle.mining import MiningConfig
    from aisle.pipelines.importing import import_tables
    from aisle.pipelines.indexing import build_indexes
    from aisle.pipelines.mining import mine
    from aisle.pipelines.recipe import load_recipe
    from aisle.pipelines.training import train_model
    from aisle.sources import SourceTables
    from aisle.workspace import Workspace

    first, hour = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC), datetime.timedelta(hours=1)
    names, numbers = [f"word{number}" for number in range(30)], range(240)
    shown = [(number, (number + step) % 30, step + 1) for number in numbers for step in range(3)]
    tables = {
        "products": {
            "product_id": [f"p{number}" for number in range(32)],
            "title": [*(f"thing {name}" for name in names), "thing that is new", "!!!"],
            "brand": ["Norvik", "Belmora"] * 16,
            "location": ["de", "fr"] * 16,
            "created_at": [*[None] * 30, first + 200 * hour, None],
            "updated_at": [first - hour] * 32,
            "quality_stars": [3.0, 4.5] * 16,
        },
        "searches": {
            "search_id": [f"q{number}" for number in numbers],
            "query": [names[number % 30] for number in numbers],
            "searched_at": [first + number * hour for number in numbers],
            "user_id": [f"u{number % 11}" if number < 239 else None for number in numbers],
            "client_id": ["c0" if number == 239 else None for number in numbers],
        },
        "impressions": {
            "search_id": [f"q{number}" for number, *_ in shown],
            "product_id": [f"p{product}" for _, product, _ in shown],
            "position": [position for *_, position in shown],
            "ordered_at": [first + number * hour if position == 1 else None for number, _, position in shown],
            "slot": ["random" if position == 3 else "ranked" for *_, position in shown],
        },
        "users": {"user_id": ["u1", "u2"], "location": ["fr", None]},
    }
    workspace = Workspace.open(tmp_path_factory.mktemp("learnt") / "shop", create=True)
    import_tables(workspace, SourceTables({name: pa.table(columns) for name, columns in tables.items()}, {}, {}))
    mine(workspace, MiningConfig(num_slices=3, threads=1, memory_gb=0.5))
    settings = ("embedding_dim=24", "features.term.num_buckets=1024", "train.batch_size=16", "train.epochs=1")
    settings += ("pairs.by_search=true", "train.num_uniform=8", "history.dim=8", "train.checkpoint_minutes=100")
    recipe = load_recipe(None, settings)
    train_model(workspace, recipe)
    build_indexes(workspace, recipe)
    return workspace.path


@pytest.fixture(scope="session")
def learnt_shop(_learnt_shop):
    """A small shop with a log, learnt search by search with all channels, and indexed; for reading only."""
    from aisle.workspace import Workspace

    return Workspace.open(_learnt_shop)


@pytest.fixture
def own_learnt_shop(_learnt_shop, tmp_path):
    """A copy of the small shop with a log, to be changed."""
    from aisle.workspace import Workspace

    shutil.copytree(_learnt_shop, tmp_path / "learnt", ignore=_SERVED)
    return Workspace.open(tmp_path / "learnt")


@pytest.fixture
def planted_boost(monkeypatch):
    """Let every search for weights find that stars matter, and nothing else; or that they do not."""
    import numpy as np

    from aisle.boosting import FoundWeights
    from aisle.evaluation import paired_test

    def plant(*, is_kept=True, weight=0.4):
        def found(pool, features, *, seed, **_):
            weights = np.array([weight if name == "quality_stars" else 0.0 for name in features.names])
            test = paired_test(np.ones((4, 3)), np.zeros((4, 3)), seed=seed)
            return FoundWeights(weights, 0.5, test, len(pool), "as planted", is_kept=is_kept)

        monkeypatch.setattr("aisle.pipelines.boosting.find_weights", found)

    return plant


@pytest.fixture
def aisle(monkeypatch, capsys):
    """Run the command line in this process; an error that is not Aisle's comes through as it is."""
    from aisle.cli import main

    def run(*arguments):
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["aisle", *map(str, arguments)])
        try:
            main()
            code = 0
        except SystemExit as stopped:
            code = stopped.code or 0
        out, err = capsys.readouterr()
        return SimpleNamespace(code=code, out=out, err=err)

    return run


@pytest.fixture
def aisle_json(aisle):
    """Run a command with `--json` and return its one object; it must succeed."""
    import json

    def run(*arguments):
        result = aisle(*arguments, "--json")
        assert result.code == 0, result.err
        return json.loads(result.out)

    return run


@pytest.fixture
def set_options():
    """Turn overrides into `--set` options."""
    return lambda overrides: [part for override in overrides for part in ("--set", override)]


@pytest.fixture(scope="module")
def browser():
    """Debian's chromium, headless; tests that need it are skipped where it is not installed."""
    from pathlib import Path

    from playwright.sync_api import sync_playwright

    chromium = Path("/usr/bin/chromium")
    if not chromium.exists():
        pytest.skip(f"Debian's chromium is not installed at {chromium}")
    quiet = ("first-run", "sandbox")
    off = ("gpu", "quic", "background-networking", "component-update", "sync")
    arguments = [*(f"--no-{name}" for name in quiet), *(f"--disable-{name}" for name in off)]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield browser
        browser.close()
