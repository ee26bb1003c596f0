import numpy as np
import pytest

from aisle.core.errors import UsageError
from aisle.core.ranking import QueryBatch
from aisle.core.shopper import Shopper
from aisle.pipelines.boosting import BoostConfig, apply_boost, boost_workspace, stored_boost, take_boost_away
from aisle.pipelines.searching import load_engine, load_retrievers

STARS = np.array([3.0, 4.5] * 16)


def answers(workspace, texts=("word3", "thing", "word7 thing")):
    return {name: one.retrieve(QueryBatch(texts), k=32) for name, one in load_retrievers(workspace).items()}


def test_a_log_too_short_to_find_weights_keeps_none_and_says_so(own_learnt_shop):
    before = answers(own_learnt_shop)
    summary = boost_workspace(own_learnt_shop, BoostConfig(trials=3)).manifest.summary
    assert summary["kept"] is False
    assert "too few" in summary["reason"]
    assert summary["test"] is None
    assert set(summary["weights"].values()) == {0.0}
    after = answers(own_learnt_shop)
    assert all(np.array_equal(before[name].score, after[name].score) for name in before)
    assert not (own_learnt_shop.folder("boost") / "semantic").exists()


def test_a_kept_boost_lifts_every_system_with_vectors_until_it_is_taken_away(own_learnt_shop, planted_boost):
    planted_boost()
    before = answers(own_learnt_shop)
    made = boost_workspace(own_learnt_shop, BoostConfig())
    assert made.manifest.summary["kept"]
    assert set(made.manifest.inputs) == {"products", "mined", "model", "index"}
    boost = stored_boost(own_learnt_shop)
    assert boost[STARS == 4.5].min() > boost[STARS == 3.0].max()
    after = answers(own_learnt_shop)
    assert np.array_equal(before["lexical"].score, after["lexical"].score)
    assert not np.array_equal(before["hybrid"].score, after["hybrid"].score)
    # Scores are the old ones with the boost, to what fp16 rounds away.
    of_product = dict(zip(before["semantic"].product_index[0], before["semantic"].score[0], strict=True))
    found = after["semantic"].product_index[0]
    expected = np.array([of_product[product] for product in found]) + boost[found]
    assert after["semantic"].score[0] == pytest.approx(expected, abs=2e-3)

    assert boost_workspace(own_learnt_shop, BoostConfig()).skipped
    take_boost_away(own_learnt_shop)
    assert stored_boost(own_learnt_shop) is None
    off = answers(own_learnt_shop)
    for name, ranking in before.items():
        assert np.array_equal(ranking.score, off[name].score)
        assert np.array_equal(ranking.product_index, off[name].product_index)


def test_explanations_name_the_boost_and_add_up(own_learnt_shop, planted_boost):
    planted_boost()
    boost_workspace(own_learnt_shop, BoostConfig())
    engine = load_engine(own_learnt_shop)
    for hit in engine.search("word3", k=32, mode="semantic", shopper=Shopper(user_id="u1"), explain=True):
        parts = hit.explanation["parts"]
        assert sum(parts.values()) == pytest.approx(hit.score, abs=1e-5)
        stars = STARS[int(hit.product_id[1:])]
        assert parts["boost"] == pytest.approx(0.4 if stars == 4.5 else 0.0, abs=0.2)
    hybrid = engine.search("word3", k=5, mode="hybrid", explain=True)[0].explanation
    assert "boost" in hybrid["parts"]


def test_what_was_not_kept_is_measured_on_test_all_the_same(own_learnt_shop, planted_boost):
    planted_boost(is_kept=False)
    before = answers(own_learnt_shop)
    summary = boost_workspace(own_learnt_shop, BoostConfig()).manifest.summary
    assert (summary["kept"], summary["index"]) == (False, None)
    assert summary["test"]["log"]["systems"]["semantic"]["all"]["R@100"]["with"] > 0
    assert np.array_equal(before["semantic"].score, answers(own_learnt_shop)["semantic"].score)


def test_a_boost_goes_into_an_index_that_was_built_anew(own_learnt_shop, planted_boost, tiny_recipe):
    from aisle.core.errors import WorkspaceError
    from aisle.pipelines.indexing import build_indexes

    planted_boost()
    boost_workspace(own_learnt_shop, BoostConfig())
    before, boost = answers(own_learnt_shop), stored_boost(own_learnt_shop)
    assert not build_indexes(own_learnt_shop, tiny_recipe(index__kind="exact")).skipped
    with pytest.raises(WorkspaceError, match=r"present index.*aisle boost --off"):
        load_retrievers(own_learnt_shop)
    applied = apply_boost(own_learnt_shop).manifest.summary
    assert (applied["kept"], applied["index"]["kind"]) == (True, "exact")
    assert np.array_equal(stored_boost(own_learnt_shop), boost)
    after = answers(own_learnt_shop)
    assert after["semantic"].score == pytest.approx(before["semantic"].score, abs=5e-3)
    take_boost_away(own_learnt_shop)
    assert apply_boost(own_learnt_shop) is None


def test_a_boost_of_another_model_is_not_put_into_an_index(own_learnt_shop, planted_boost):
    import json

    from aisle.core.errors import WorkspaceError

    planted_boost()
    boost_workspace(own_learnt_shop, BoostConfig())
    path = own_learnt_shop.folder("boost") / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["inputs"]["model"] = "another"
    path.write_text(json.dumps(manifest))
    with pytest.raises(WorkspaceError, match=r"changed_since=\['model'\]"):
        apply_boost(own_learnt_shop)


def test_bad_settings_are_refused(own_learnt_shop):
    with pytest.raises(UsageError, match="Trials and searches"):
        boost_workspace(own_learnt_shop, BoostConfig(trials=0))


def test_a_shop_without_a_log_has_nothing_to_find_weights_on(shop):
    from aisle.core.errors import WorkspaceError

    with pytest.raises(WorkspaceError, match="aisle mine"):
        boost_workspace(shop, BoostConfig())
