import pytest

from aisle.core.errors import ConfigError, UsageError
from aisle.experiments import READY_SPECIFICATION, read_specification
from aisle.pipelines.recipe import load_recipe

ROWS = """
set = ["index.kind=exact"]

[rows."unified"]

[rows."without graph"]
set = ["graph.enabled=false"]

[rows."hybrid"]
same_as = "without graph"
system = "hybrid"
set = ["hybrid.depth=10"]
baseline = "without graph"

[rows."MiniLM"]
peer = "minilm"
"""


def settings_of(overrides):
    return load_recipe(None, overrides)


@pytest.fixture
def read(tmp_path):
    def of(text, **given):
        path = tmp_path / "rows.toml"
        path.write_text(text, encoding="utf-8")
        return read_specification(path, **{"check": settings_of, **given})

    return of


def test_settings_go_from_general_to_particular(read):
    found = read(ROWS, overrides=("train.epochs=1",))
    assert found.baseline == "unified"
    assert list(found.rows) == ["unified", "without graph", "hybrid", "MiniLM"]
    shared = ("index.kind=exact", "train.epochs=1")
    assert found.rows["unified"].overrides == shared
    assert found.rows["hybrid"].overrides == (*shared, "graph.enabled=false", "hybrid.depth=10")
    assert {name: row.baseline for name, row in found.rows.items()} == {
        "unified": None,
        "without graph": "unified",
        "hybrid": "without graph",
        "MiniLM": "unified",
    }
    assert (found.rows["hybrid"].system, found.rows["MiniLM"].peer) == ("hybrid", "minilm")


def test_chosen_rows_bring_their_baselines_in_the_order_of_the_file(read):
    found = read(ROWS)
    assert list(found.chosen(["hybrid"]).rows) == ["unified", "without graph", "hybrid"]
    assert found.chosen(None) is found
    with pytest.raises(UsageError, match=r"among those of the specification.*'hybird'.*as a list with commas"):
        found.chosen(["hybird", "unified"])


def test_all_problems_are_told_at_once(read):
    text = """
    bseline = "unified"
    [rows."unified"]
    [rows."one"]
    sett = []
    system = "vector"
    [rows."two"]
    peer = "minilm"
    set = ["graph.enabled=false"]
    baseline = "twoo"
    [rows."three"]
    set = "graph.enabled=false"
    same_as = "three"
    boost = "yes"
    [rows."four"]
    system = "lexical"
    boost = true
    """
    with pytest.raises(ConfigError) as caught:
        read(text)
    problems = caught.value.received["problems"]
    assert problems == [
        "bseline is not a key; did you mean baseline?",
        "rows.one: sett is not a key; did you mean set?",
        "rows.one: system must be one of semantic, lexical, hybrid (received 'vector')",
        "rows.two: baseline must be one of unified, one, two, three, four (received 'twoo')",
        "rows.two: a peer is not set by our settings: it takes no set, system, same_as or boost",
        "rows.three: set must be a list of texts of the form a.b=value",
        "rows.three: boost must be true or false (received 'yes')",
        "rows.three: a row cannot be same_as or baseline of itself",
        "rows.three: same_as must name a row with settings of its own (received 'three')",
        "rows.four: a boost lies in the vectors: system must be semantic or hybrid",
    ]


def test_settings_that_do_not_hold_are_told_of_every_row(read):
    text = '[rows.a]\nset = ["graph.enabeld=false"]\n[rows.b]\nset = ["train.epochs=0"]\n[rows.c]\nset = ["fusion"]'
    with pytest.raises(ConfigError, match="before anything is trained") as caught:
        read(text)
    problems = caught.value.received["problems"]
    assert [problem.partition(":")[0] for problem in problems] == ["rows.a", "rows.b", "rows.c"]
    assert "did you mean graph.enabled?" in problems[0]


def test_settings_of_rows_that_are_left_out_are_not_asked_for(read):
    rows = ROWS + '[rows."typo"]\nset = ["graph.enabeld=false"]'
    assert list(read(rows, names=["MiniLM"]).rows) == ["unified", "MiniLM"]
    with pytest.raises(ConfigError, match=r"rows\.typo"):
        read(rows, names=["typo"])


@pytest.mark.parametrize("text", ["", "rows = 3", "[rows]", "rows.a = 1"])
def test_a_file_without_rows_is_refused(read, text):
    with pytest.raises(ConfigError, match="a table of settings for each row"):
        read(text)


def test_an_unknown_baseline_and_settings_that_are_no_list_are_refused(read):
    with pytest.raises(ConfigError) as caught:
        read('baseline = "b"\nset = "fusion=concat"\n[rows.a]')
    assert caught.value.received["problems"] == [
        "baseline 'b' is no row",
        "set must be a list of texts of the form a.b=value",
    ]


def test_the_ready_rows_hold_and_each_differs_from_its_baseline():
    found = read_specification(READY_SPECIFICATION, check=settings_of)
    assert len(found.rows) >= 20
    for row in found.rows.values():
        if row.baseline is not None:
            base = found.rows[row.baseline]
            differs = (row.overrides, row.system, row.peer, row.boost)
            assert differs != (base.overrides, base.system, base.peer, base.boost)
