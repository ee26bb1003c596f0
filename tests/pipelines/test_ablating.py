import dataclasses
import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from aisle.core.errors import ConfigError, UsageError
from aisle.pipelines import ablating, ablation_runs
from aisle.pipelines.ablating import AblationSettings, ablate
from aisle.pipelines.ablation_plan import RUNS_FOLDER
from aisle.pipelines.evaluating import evaluate_systems
from aisle.pipelines.indexing import build_indexes
from aisle.pipelines.recipe import load_recipe
from aisle.pipelines.training import train_model
from aisle.workspace import Workspace

SETTINGS = (
    "embedding_dim=24",
    "features.term.num_buckets=1024",
    "train.batch_size=16",
    "train.epochs=1",
    "train.min_steps=1",
    "train.num_uniform=8",
    "history.dim=8",
    "index.kind=exact",
)
ROWS = """
[rows."unified"]
[rows."without text"]
set = ["text.enabled=false"]
[rows."without graph"]
set = ["graph.enabled=false"]
[rows."hybrid"]
same_as = "unified"
system = "hybrid"
[rows."BM25"]
system = "lexical"
"""


@pytest.fixture(scope="module")
def shop_of(_learnt_shop):
    """Copy the small shop with a log, without what was trained."""

    def copy(path):
        left_out = shutil.ignore_patterns("model", "index", "features", ".partial", "runs")
        shutil.copytree(_learnt_shop, path, ignore=left_out)
        return Workspace.open(path)

    return copy


@pytest.fixture(scope="module")
def settings_of(tmp_path_factory):
    def of(rows=ROWS, **changed):
        path = tmp_path_factory.mktemp("rows") / "rows.toml"
        path.write_text(rows, encoding="utf-8")
        return AblationSettings(**{"specification": path, "overrides": SETTINGS, "seeds": 2, "jobs": 1, **changed})

    return of


@pytest.fixture(scope="module")
def ablated(shop_of, settings_of, tmp_path_factory):
    """A shop with an ablation of two seeds; for reading only, but for what `ablate` itself adds."""
    shop = shop_of(tmp_path_factory.mktemp("ablated") / "shop")
    return shop, ablate(shop, settings_of())


@pytest.fixture
def made(monkeypatch):
    """Names of the runs that are made from here on."""
    names = []
    make = ablation_runs.make_run

    def noted(task):
        names.append(task.run.name)
        make(task)

    monkeypatch.setattr(ablating, "make_run", noted)
    return names


def row_of(outcome, name):
    return next(row for row in outcome.values["rows"] if row["name"] == name)


def test_rows_with_their_seeds(ablated):
    values = ablated[1].values
    assert [(row["name"], row["seeds"]) for row in values["rows"]] == [
        ("unified", 2), ("without text", 2), ("without graph", 2), ("hybrid", 2), ("BM25", 1)
    ]  # fmt: skip
    assert (values["labels"], values["labelled"], values["simulated"], values["seeds"]) == ("log", "orders", False, 2)
    assert row_of(ablated[1], "without text")["same_as_baseline"] is True
    assert len(row_of(ablated[1], "unified")["training"]["minutes"]) == 2
    assert row_of(ablated[1], "BM25")["slices"]


def test_figures_are_those_of_evaluate(ablated, shop_of, tmp_path):
    means = []
    for seed in range(2):
        shop, recipe = shop_of(tmp_path / str(seed)), load_recipe(None, [*SETTINGS, f"seed={seed}"])
        train_model(shop, recipe)
        build_indexes(shop, recipe)
        found = evaluate_systems(shop, labels="log").evaluation.headline.systems
        means.append([found["semantic"]["nDCG@10"].value, found["hybrid"]["R@10"].value])
        lexical = found["lexical"]
    semantic, hybrid = np.mean(means, axis=0)
    assert row_of(ablated[1], "unified")["measures"]["nDCG@10"]["value"] == pytest.approx(semantic)
    assert row_of(ablated[1], "hybrid")["measures"]["R@10"]["value"] == pytest.approx(hybrid)
    told = row_of(ablated[1], "BM25")["measures"]["R@10"]
    assert (told["value"], told["low"], told["high"]) == pytest.approx(tuple(vars(lexical["R@10"]).values()))
    seeds = row_of(ablated[1], "unified")["measures"]["nDCG@10"]["seeds"]
    assert seeds == pytest.approx(sorted(mean[0] for mean in means))


def test_the_artefact_holds_table_and_values(ablated):
    shop, outcome = ablated
    folder = shop.verified("ablation")
    assert json.loads((folder / "ablation.json").read_text()) == outcome.values
    text = (folder / "ablation.md").read_text()
    assert all(f"| {row['name']} |" in text for row in outcome.values["rows"])
    columns = pq.read_table(folder / "ablation.parquet").column_names
    assert {"row", "slice", "measure", "value", "baseline_minus_this_p_holm"} <= set(columns)


def test_what_is_there_is_neither_trained_nor_compared_again(ablated, settings_of, made):
    again = ablate(ablated[0], settings_of())
    assert (made, again.skipped) == ([], True)
    assert again.values == ablated[1].values
    assert again.tables == ablated[1].tables


def test_models_are_not_kept_unless_they_are_asked_for(ablated, shop_of, settings_of, tmp_path):
    kept = {path.name.partition("-")[0] for path in ablated[0].path.glob(f"{RUNS_FOLDER}/*/*/")}
    assert kept == {"measured"}
    shop = shop_of(tmp_path / "shop")
    ablate(shop, settings_of(rows='[rows."unified"]', seeds=1, keep_models=True))
    [run] = [path.parent for path in shop.path.glob(f"{RUNS_FOLDER}/*/model")]
    assert Workspace.open(run).has("index")


def test_a_changed_row_alone_is_trained_anew(ablated, settings_of, made):
    changed = ROWS.replace("graph.enabled=false", "graph.share=0.25")
    outcome = ablate(ablated[0], settings_of(rows=changed))
    assert made == ["without graph, seed 0", "without graph, seed 1"]
    assert row_of(outcome, "unified") == row_of(ablated[1], "unified")
    ablate(ablated[0], settings_of(seeds=1))
    assert made == ["without graph, seed 0", "without graph, seed 1"]


def test_a_killed_ablation_goes_on_with_what_is_left(shop_of, settings_of, tmp_path, monkeypatch):
    shop, made = shop_of(tmp_path / "shop"), []
    make = ablation_runs.make_run

    def killed_at_the_second(task):
        made.append(task.run.name)
        if len(made) == 2:
            raise KeyboardInterrupt
        make(task)

    monkeypatch.setattr(ablating, "make_run", killed_at_the_second)
    settings = settings_of(rows='[rows."unified"]\n[rows."BM25"]\nsystem = "lexical"', seeds=1)
    with pytest.raises(KeyboardInterrupt):
        ablate(shop, settings)
    assert not shop.has("ablation")
    outcome = ablate(shop, settings)
    assert made == ["unified, seed 0", "BM25, seed 0", "BM25, seed 0"]
    assert len(outcome.values["rows"]) == 2


def test_nothing_is_trained_where_a_row_does_not_hold(shop_of, settings_of, tmp_path, made):
    shop = shop_of(tmp_path / "shop")
    rows = ROWS + '[rows."typo"]\nset = ["graph.enabeld=false"]\n[rows."other"]\nset = ["mining.num_slices=2"]\n'
    with pytest.raises(ConfigError, match=r"rows\.typo: graph\.enabeld.*rows\.other: mining.*settled by `aisle mine`"):
        ablate(shop, settings_of(rows=rows))
    with pytest.raises(ConfigError, match=r"same dimensions.*'wide': 32"):
        ablate(shop, settings_of(rows=ROWS + '[rows."wide"]\nset = ["embedding_dim=32"]'))
    with pytest.raises(UsageError, match=r"can be measured on log\. Received: labels='truth'"):
        ablate(shop, settings_of(labels="truth"))
    assert made == []
    assert not (shop.path / RUNS_FOLDER).exists()


def test_chosen_rows_come_with_their_baseline(ablated, settings_of, made):
    outcome = ablate(ablated[0], dataclasses.replace(settings_of(), rows=["BM25"]))
    assert [row["name"] for row in outcome.values["rows"]] == ["unified", "BM25"]
    assert made == []


def test_a_frozen_checkpoint_encodes_the_texts_once_for_all_seeds_and_channels(
    shop_of, settings_of, checkpoint, tmp_path, monkeypatch
):
    shop, made = shop_of(tmp_path / "shop"), []
    make = ablating.make_texts

    def noted(task):
        made.append(len(task.features))
        make(task)

    monkeypatch.setattr(ablating, "make_texts", noted)
    init = checkpoint(seed=1, words=["thing", *(f"word{number}" for number in range(30))])
    frozen = (*SETTINGS, f"text.init={init}", "text.frozen=true")
    rows = '[rows."unified"]\n[rows."without graph"]\nset = ["graph.enabled=false"]'
    outcome = ablate(shop, settings_of(rows=rows, overrides=frozen))
    assert len(made) == 1
    assert made[0] >= 2
    assert all(len(row["training"]["cpu_minutes"]) == 2 for row in outcome.values["rows"])
    total = sum(minutes for row in outcome.values["rows"] for minutes in row["training"]["cpu_minutes"])
    assert outcome.values["cpu_minutes"] == pytest.approx(total)
    assert not [path for path in (shop.path / RUNS_FOLDER).glob("texts-*") if path.is_dir()]


def test_the_shops_own_encoder_is_pretrained_once_for_all_rows_that_begin_from_it(shop_of, settings_of, tmp_path):
    shop = shop_of(tmp_path / "shop")
    small = ("text.num_layers=1", "text.hidden_dim=16", "text.num_heads=2", "features.tokens.max_product_tokens=8")
    small += ("pretrain.max_steps=2", "pretrain.batch_size=16", "pretrain.held_out_share=0.2")
    rows = """
baseline = "from scratch"
[rows."from scratch"]
set = ["text.enabled=true", "graph.enabled=false"]
[rows."pre-trained"]
set = ["text.init=pretrained", "graph.enabled=false"]
[rows."pre-trained, frozen"]
set = ["text.init=pretrained", "text.frozen=true", "graph.enabled=false"]
"""
    settings = settings_of(rows=rows, overrides=(*SETTINGS, *small), seeds=1)
    outcome = ablate(shop, settings)
    made = shop.manifest("pretrained")
    assert made.summary["steps"] == 2
    values = {row["name"]: row["measures"]["R@10"]["value"] for row in outcome.values["rows"]}
    assert set(values) == {"from scratch", "pre-trained", "pre-trained, frozen"}
    assert not [path for path in (shop.path / RUNS_FOLDER).rglob("pretrained") if path.exists()]
    assert ablate(shop, settings).skipped
    assert shop.manifest("pretrained") == made
