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
    "pairs.pseudo_per_product": 2,
    "train.epochs": 1,
    "train.batch_size": 64,
    "train.num_uniform": 32,
    "train.min_steps": 1,
}


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

    shutil.copytree(_built_shop, tmp_path / "shop")
    return Workspace.open(tmp_path / "shop")


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
