import pytest

from aisle.experiments import PlainTable
from aisle.pipelines import ablating
from aisle.pipelines.ablating import AblationOutcome


@pytest.fixture
def asked(monkeypatch):
    """Settings that the command asked for; what it prints is given."""
    seen = []
    wide = PlainTable("by slice", tuple(f"slice {number}" for number in range(9)), ())
    tables = [PlainTable("means", ("row", "R@100"), (("unified", ".5 [.4, .6]"),)), wide]

    def outcome(workspace, settings):
        seen.append(settings)
        return AblationOutcome({"simulated": True, "rows": [{"name": "unified"}]}, tables, skipped=False)

    monkeypatch.setattr(ablating, "ablate", outcome)
    return seen


def test_options_reach_the_ablation(aisle, built_shop, asked, tmp_path):
    result = aisle(
        "ablate", "-w", built_shop.path, "--spec", tmp_path / "rows.toml", "--rows", "without graph, BM25",
        "--seeds", 5,
        "--labels", "judgments", "--jobs", 3, "--quick", "--keep-models", "--set", "train.epochs=1", "--min-grade", 2,
    )  # fmt: skip
    assert result.code == 0, result.err
    [settings] = asked
    assert (settings.specification, settings.rows) == (tmp_path / "rows.toml", ["without graph", "BM25"])
    assert (settings.seeds, settings.labels, settings.jobs, settings.min_grade) == (5, "judgments", 3, 2.0)
    assert (settings.quick, settings.keep_models, settings.overrides) == (True, True, ("train.epochs=1",))


def test_the_table_with_what_is_simulated_and_where_it_is_kept(aisle, built_shop, asked):
    result = aisle("ablate", "-w", built_shop.path)
    assert "unified" in result.out
    assert ".5 [.4, .6]" in result.out
    assert "slice 1" not in result.out
    assert "whose tables are too wide for a terminal" in result.err
    assert "these figures are simulated" in result.err
    assert asked[0].rows is None


def test_json_is_one_object(aisle_json, built_shop, asked):
    assert aisle_json("ablate", "-w", built_shop.path) == {"simulated": True, "rows": [{"name": "unified"}]}


def test_unknown_labels_are_refused(aisle, built_shop, asked):
    result = aisle("ablate", "-w", built_shop.path, "--labels", "clicks")
    assert (result.code, asked) == (2, [])
    assert "Labels must be one of" in result.err


def test_help_shows_an_example(aisle):
    assert 'aisle ablate --workspace shop --seeds 3 --rows "without graph,without history"' in " ".join(
        aisle("ablate", "--help").out.replace("│", " ").split()
    )
