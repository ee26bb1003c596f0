import pytest

from aisle.pipelines.boosted import boosted_index, has_boost
from aisle.pipelines.boosting import BoostConfig, boost_workspace, take_boost_away


def test_only_a_boost_that_is_kept_counts(own_learnt_shop, planted_boost):
    assert not has_boost(own_learnt_shop)
    assert boosted_index(own_learnt_shop) is None
    planted_boost(is_kept=False)
    boost_workspace(own_learnt_shop, BoostConfig())
    assert boosted_index(own_learnt_shop) is None
    planted_boost()
    boost_workspace(own_learnt_shop, BoostConfig(seed=1))
    assert has_boost(own_learnt_shop)
    assert boosted_index(own_learnt_shop) == own_learnt_shop.folder("boost") / "semantic"
    take_boost_away(own_learnt_shop)
    assert not has_boost(own_learnt_shop)


def test_a_damaged_boost_is_found_before_it_is_read(own_learnt_shop, planted_boost):
    from aisle.core.errors import WorkspaceError

    planted_boost()
    boost_workspace(own_learnt_shop, BoostConfig())
    (own_learnt_shop.folder("boost") / "boost.npy").write_bytes(b"no numbers")
    with pytest.raises(WorkspaceError, match="as its manifest records it"):
        boosted_index(own_learnt_shop)
