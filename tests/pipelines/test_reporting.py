import json
import re
import shutil

import pytest

from aisle.core.errors import UsageError
from aisle.pipelines.comparing import compare_systems
from aisle.pipelines.evaluating import evaluate_systems
from aisle.pipelines.importing import import_tables
from aisle.pipelines.kept_outcomes import COMPARISONS, EVALUATIONS, keep_comparison, keep_evaluation
from aisle.pipelines.questions import Asked
from aisle.pipelines.reporting import write_report
from aisle.sources import SourceTables
from aisle.workspace import Workspace

ASKED = Asked(min_grade=3)
SECTIONS = {
    "data",
    "model",
    "evaluation",
    "comparison",
    "ablation",
    "abtest",
    "boost",
    "index",
    "tuning",
    "examples",
}


ROW = {"value": 0.5, "low": 0.4, "high": 0.6, "seeds": [0.5, 0.5]}
ABLATION = {"simulated": True, "labelled": "truth", "searches": 9, "seeds": 1, "claims": []}
ABLATION |= {"rows": [{"name": "unified", "seeds": 1, "baseline": None, "measures": {"R@100": ROW}}]}
POINT = {"kind": "exact", "settings": {}, "ann_recall": 1.0, "queries_s": 90.0, "bytes_per_product": 9.0}
TUNING = {"chosen": POINT, "front": [POINT], "points": [POINT], "asked": 0.9, "k": 10, "queries": 5, "products": 9}
TUNING |= {"tried": 1, "exact_queries_s": 80.0}
BOOST = {"kept": False, "off": False, "reason": "no gain", "weights": {}, "test": None, "simulated": False}
BOOST |= {"validation": {"searches": 9, "gain": None}}
AA = {"config": {"searches": 900}, "power": {}, "aa_searches": 900, "aa_runs": 20, "aa_rejections": 1}


@pytest.fixture
def shop(shop):
    """The small shop without what other tests kept in it."""
    for folder in (EVALUATIONS, COMPARISONS):
        shutil.rmtree(shop.path / folder, ignore_errors=True)
    return shop


def headings(path):
    return re.findall(r'<h2 id="(\w+)"', path.read_text(encoding="utf-8"))


def test_what_is_there_is_shown_and_the_rest_named(shop, tmp_path):
    outcome = write_report(shop, out=tmp_path / "deep" / "page.html", examples=1)
    assert set(outcome.shown) == {"data", "model", "index", "examples"}
    assert set(outcome.shown) | set(outcome.missing) == SECTIONS
    assert headings(outcome.path) == ["short", "missing", "data", "model", "index", "examples"]
    text = outcome.path.read_text(encoding="utf-8")
    assert outcome.num_bytes == outcome.path.stat().st_size
    for command in outcome.missing.values():
        assert f"<code>{command}</code>" in text
    assert "simulated shop" not in text
    assert outcome.changed == {}
    assert json.loads(json.dumps(outcome.as_dict()))["path"] == str(outcome.path)


def test_a_bare_catalogue_has_a_report(import_shop, tmp_path):
    workspace = import_shop(tmp_path / "shop", judgments=None)
    outcome = write_report(workspace)
    assert outcome.path == tmp_path / "shop" / "report.html"
    assert set(outcome.shown) == {"data"}
    assert outcome.missing["model"] == "aisle train"
    assert outcome.missing["index"] == "aisle index"
    assert outcome.missing["examples"] == "aisle mine"
    assert ">300<" in outcome.path.read_text(encoding="utf-8")


def test_kept_outcomes_are_shown_and_age(shop, tmp_path):
    evaluated = evaluate_systems(shop, systems=["lexical", "semantic"], min_grade=3)
    keep_evaluation(shop, evaluated, settings={"split": "test"}, seed=3)
    compared = compare_systems(shop, "lexical", "semantic", asked=ASKED)
    keep_comparison(shop, compared, asked=ASKED, num_changes=5)
    outcome = write_report(shop, examples=0)
    assert {"evaluation", "comparison"} <= set(outcome.shown)
    assert outcome.missing["examples"] == "aisle report --examples 2"
    text = outcome.path.read_text(encoding="utf-8")
    value = evaluated.evaluation.headline.systems["semantic"]["R@100"].value
    assert f"{value:.3f} [" in text
    assert "seed 3, data" in text
    assert outcome.changed == {}
    manifest = shop.path / "index" / "manifest.json"
    values = json.loads(manifest.read_text(encoding="utf-8"))
    values["files"]["hybrid.json"] = "0" * 64
    manifest.write_text(json.dumps(values), encoding="utf-8")
    outcome = write_report(shop, examples=0)
    assert outcome.changed["evaluation/judgments-test/"] == ["index"]
    assert "Changed since: index. Run it again." in outcome.path.read_text(encoding="utf-8")


def test_a_log_and_its_training(learnt_shop, tmp_path):
    outcome = write_report(learnt_shop, out=tmp_path / "page.html", examples=1)
    text = outcome.path.read_text(encoding="utf-8")
    assert "The mined log by window of time" in text
    assert "Loss by source" in text
    assert "examples" in outcome.shown


def test_what_other_commands_wrote_is_read(shop):
    keep(shop, "ablation", {"ablation.json": ABLATION, "tables.json": []})
    keep(shop, "tuning", {"tuning.json": TUNING})
    keep(shop, "boost", {}, summary=BOOST)
    kept = Workspace.open(shop.path / "abtest", create=True)
    systems = {"a": "lexical", "b": "hybrid"}
    keep(kept, "lexical-vs-hybrid", {"result.json": {**AA, **systems}}, config=systems, inputs={"a": "another"})
    outcome = write_report(shop, examples=0)
    assert {"ablation", "tuning", "boost", "abtest"} <= set(outcome.shown)
    text = outcome.path.read_text(encoding="utf-8")
    assert "<code>aisle abtest lexical hybrid</code> made <code>abtest/lexical-vs-hybrid/</code>" in text
    assert outcome.changed == {"abtest/lexical-vs-hybrid/": ["a"]}


def keep(workspace, name, files, *, config=None, inputs=None, summary=None):
    def build(folder):
        for file, values in files.items():
            (folder / file).write_text(json.dumps(values), encoding="utf-8")
        return summary

    workspace.run_step(name, build, config=config or {}, inputs=inputs or {})


def test_examples_of_a_stale_index_say_why(shop, simulated):
    import_tables(shop, SourceTables({"products": simulated.products.slice(0, 250)}, {}, {}))
    outcome = write_report(shop)
    assert outcome.missing["examples"] == "aisle index"
    assert "must be built from the workspace&#x27;s present products" in outcome.path.read_text(encoding="utf-8")
    assert outcome.changed["index/"] == ["products"]


def test_a_model_of_another_version_is_named(shop):
    manifest = shop.path / "model" / "manifest.json"
    values = json.loads(manifest.read_text(encoding="utf-8"))
    values["config"]["towers"]["an_old_setting"] = 1
    manifest.write_text(json.dumps(values), encoding="utf-8")
    assert write_report(shop, examples=0).missing["model"] == "aisle train"


def test_a_file_that_cannot_be_written_is_a_mistake_of_the_user(import_shop, tmp_path):
    workspace = import_shop(tmp_path / "shop", judgments=None)
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="file must be writable"):
        write_report(workspace, out=tmp_path / "file" / "page.html")


@pytest.mark.parametrize("source", ["generated", "own"])
def test_a_generated_catalogue_is_called_simulated(simulated, tmp_path, source):
    workspace = Workspace.open(tmp_path / "shop", create=True)
    import_tables(workspace, SourceTables({"products": simulated.products}, {}, {"source": source}))
    text = write_report(workspace).path.read_text(encoding="utf-8")
    assert ("This shop is simulated" in text) == (source == "generated")
