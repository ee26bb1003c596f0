import pytest

from aisle.core.errors import ConfigError
from aisle.experiments import AblationRow, Specification
from aisle.pipelines.ablation_plan import plan_runs, resolved
from aisle.workspace import Workspace

ON_LOG = {"labels": ["log"], "max_searches": 100}


def plan_of(workspace, *rows, seeds=2, measured_on=ON_LOG):
    specification = Specification(rows[0].name, {row.name: row for row in rows})
    return plan_runs(workspace, specification, base=None, seeds=seeds, measured_on=measured_on)


def test_rows_that_come_to_the_same_are_trained_once(learnt_shop):
    unified = AblationRow("unified")
    # There are no weights for a text part, and a log for the graph: both settings say what is so already.
    same = AblationRow("same", ("text.enabled=false", "graph.enabled=true"))
    other = AblationRow("other", ("graph.enabled=false",))
    plan = plan_of(learnt_shop, unified, same, other)
    assert plan.of_row["same"] == plan.of_row["unified"]
    assert plan.of_row["other"][0] not in plan.of_row["unified"]
    assert [run.name for run in plan.runs.values()] == [
        "unified, seed 0", "unified, seed 1", "other, seed 0", "other, seed 1"
    ]  # fmt: skip
    assert (plan.seeds("same"), [run.recipe.seed for run in plan.runs.values()]) == (2, [0, 1, 0, 1])


def test_what_is_chosen_behind_training_is_measured_of_the_same_run(learnt_shop):
    rows = [
        AblationRow("unified"),
        AblationRow("exact", ("index.kind=exact",)),
        AblationRow("exact too", ("index.kind=exact", "index.hnsw.storage=sq8", "hybrid.depth=9")),
        AblationRow("hybrid", system="hybrid"),
    ]
    plan = plan_of(learnt_shop, *rows, seeds=1)
    [run] = plan.runs.values()
    assert [one.system for one in run.measurings] == ["semantic", "semantic", "hybrid"]
    assert plan.of_row["exact"] == plan.of_row["exact too"]


def test_settings_of_another_kind_of_index_make_no_other_measuring(learnt_shop):
    rows = [
        AblationRow("hnsw", ("index.kind=hnsw",)),
        AblationRow("same", ("index.kind=hnsw", "index.ivf_pq4.num_probes=3", "index.hnsw_pq4.ef_search=9")),
        AblationRow("other", ("index.kind=hnsw", "index.hnsw.ef_search=9")),
        AblationRow("codes", ("index.kind=hnsw-pq4", "index.hnsw.ef_search=9")),
        AblationRow("same codes", ("index.kind=hnsw-pq4",)),
    ]
    of_row = plan_of(learnt_shop, *rows, seeds=1).of_row
    assert of_row["hnsw"] == of_row["same"]
    assert of_row["codes"] == of_row["same codes"]
    assert len({of_row[name] for name in ("hnsw", "other", "codes")}) == 3


def test_what_is_not_random_has_one_seed_and_rows_share_features(learnt_shop):
    rows = [
        AblationRow("unified"),
        AblationRow("without ranking loss", ("train.ranking_weight=0",)),
        AblationRow("without context", ("context.enabled=false",)),
        AblationRow("BM25", system="lexical"),
        AblationRow("MiniLM", peer="minilm"),
        AblationRow("MiniLM tuned", peer="minilm-tuned"),
    ]
    plan = plan_of(learnt_shop, *rows)
    assert {name: plan.seeds(name) for name in ("BM25", "MiniLM", "MiniLM tuned")} == {
        "BM25": 1, "MiniLM": 1, "MiniLM tuned": 2
    }  # fmt: skip
    features = {run.name: run.features for run in plan.runs.values()}
    assert features["unified, seed 0"] == features["without ranking loss, seed 0"] == features["MiniLM tuned, seed 0"]
    assert features["BM25, seed 0"] is features["MiniLM, seed 0"] is None
    assert len(plan.features) == len({one for one in features.values() if one is not None}) == 4


def test_other_searches_are_other_values_of_the_same_run(learnt_shop):
    row = AblationRow("unified")
    one, other = (plan_of(learnt_shop, row, measured_on={**ON_LOG, "max_searches": most}) for most in (10, 20))
    assert list(one.runs) == list(other.runs)
    assert one.of_row != other.of_row


def test_other_tables_are_other_runs(shop, import_shop, simulated):
    def key():
        return next(iter(plan_of(Workspace.open(shop.path), AblationRow("a"), seeds=1).runs))

    before = key()
    assert key() == before
    import_shop(shop.path, products=simulated.products.slice(20), judgments=None)
    assert key() != before


def test_dimensions_and_the_mined_log_are_shared(learnt_shop):
    wide = AblationRow("wide", ("embedding_dim=32",))
    with pytest.raises(ConfigError, match=r"Rows must serve the same dimensions.*'unified': 256, 'wide': 32"):
        plan_of(learnt_shop, AblationRow("unified"), wide)
    with pytest.raises(ConfigError, match=r"mining\.num_slices=2 is settled by `aisle mine`"):
        resolved(learnt_shop, None, ("mining.num_slices=2",))


def test_a_channel_without_data_is_refused_and_one_left_open_is_settled(shop, learnt_shop):
    with pytest.raises(ConfigError, match="A channel that is switched on must have data"):
        resolved(shop, None, ("graph.enabled=true",))
    with pytest.raises(ConfigError, match=r"train\.dynamic_weight needs a mined log"):
        resolved(shop, None, ("train.dynamic_weight=0.5",))
    assert resolved(shop, None, ()).graph.enabled is False
    assert resolved(learnt_shop, None, ()) == resolved(learnt_shop, None, ("history.enabled=true",))
