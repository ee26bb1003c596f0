import numpy as np
import pytest

from aisle.core.errors import UsageError
from aisle.tables import STAGE_GRADES, Stage
from aisle.training import TrainConfig
from aisle.training.log_data import LogSearches
from aisle.training.log_positives import LogPositives
from aisle.training.loss_config import StageConfig

SHOWN, CLICKED, FAVORITED, CARTED, ORDERED = Stage


def make_searches(rows):
    """Rows of (snapshot, query, group, [(product, stage, weight, assisted, propensity)])."""
    flat = [outcome for _, _, _, outcomes in rows for outcome in outcomes]
    ends = np.cumsum([len(outcomes) for _, _, _, outcomes in rows])
    num, nothing = len(rows), np.zeros(len(rows), np.int64)
    return LogSearches(
        query_index=np.array([query for _, query, _, _ in rows]),
        snapshot=np.array([snapshot for snapshot, _, _, _ in rows]),
        group=np.array([group for _, _, group, _ in rows]),
        searched_at_s=nothing,
        history_start=nothing,
        history_end=nothing,
        outcome_start=np.concatenate([[0], ends[:-1]]),
        outcome_end=ends,
        product_index=np.array([product for product, *_ in flat]),
        stage=np.array([stage for _, stage, *_ in flat], np.int8),
        grade=np.array([STAGE_GRADES[stage] for _, stage, *_ in flat], np.float32),
        weight=np.array([weight for _, _, weight, *_ in flat], np.float32),
        assisted=np.array([assisted for *_, assisted, _ in flat]),
        propensity=np.array([propensity for *_, propensity in flat], np.float32),
        context=np.empty((num, 0), np.int32),
    )


@pytest.fixture
def searches():
    """One search in slice 0, then one of each stage, one of them assisted."""
    return make_searches(
        [
            (0, 0, 0, [(9, ORDERED, 1.0, False, 0.5)]),
            (1, 0, 0, [(4, ORDERED, 1.0, False, 0.5), (5, SHOWN, 1.0, False, 0.5), (6, CLICKED, 1.0, False, 0.01)]),
            (1, 0, 1, [(7, CARTED, 1.0, False, np.nan), (8, FAVORITED, 1.0, False, 1.0)]),
            (2, 1, 2, [(4, ORDERED, 0.5, True, np.nan), (3, CLICKED, 1.0, False, 1.0)]),
        ]
    )


def found(searches, **settings):
    positives = LogPositives.of(searches, TrainConfig(**settings), num_queries=2)
    return positives, dict(
        zip(
            zip(positives.search.tolist(), positives.product.tolist(), strict=True),
            positives.weight.tolist(),
            strict=True,
        )
    )


def test_by_default_positives_of_all_slices_but_the_first_count_by_grade_and_discount(searches):
    positives, weights = found(searches)
    assert weights == {(1, 4): 1.0, (1, 6): 0.5, (2, 7): 0.75, (2, 8): 0.75, (3, 4): 0.5, (3, 3): 0.5}
    assert positives.snapshot.tolist() == [1, 1, 1, 1, 2, 2]
    assert positives.inverse_propensity.tolist() == [1.0] * 6


def test_each_stage_has_its_weight_and_zero_leaves_it_out(searches):
    stages = StageConfig(ordered=2.0, carted=0.5, favorited=0.25, clicked=0.0)
    assert found(searches, stages=stages)[1] == {(1, 4): 2.0, (2, 7): 0.5, (2, 8): 0.25, (3, 4): 1.0}


def test_assisted_positives_are_weighed_down_or_left_out(searches):
    half, weights = found(searches, stages=StageConfig(assisted=0.5))
    assert weights[3, 4] == 0.25
    assert half.discount.tolist() == [1, 1, 1, 1, 0.25, 1]
    assert (3, 4) not in found(searches, stages=StageConfig(assisted=0.0))[1]


def test_left_out_stages_are_no_negatives_of_their_searcher(searches):
    positives, _ = found(searches, stages=StageConfig(clicked=0.0))
    masked, log_weight = positives.against(np.array([0, 1]), np.array([4, 5, 6, 7]))
    # Row 0: the order of search 1, whose click on 6 is not learnt from; row 1: another searcher's cart.
    assert masked.tolist() == [[True, False, True, False], [False, False, False, True]]
    # What somebody ordered for the query counts half, the row's own among it.
    assert log_weight[1].exp().tolist() == pytest.approx([0.5, 1, 1, 1])


def test_propensities_are_inverted_bounded_and_one_where_unknown(searches):
    positives, _ = found(searches, propensity_weighting=True, propensity_most=20.0)
    assert positives.inverse_propensity.tolist() == pytest.approx([2, 20, 1, 1, 1, 1])


def test_propensities_that_the_log_does_not_tell_are_refused(searches):
    unknown = make_searches([(1, 0, 0, [(4, ORDERED, 1.0, False, np.nan), (5, CLICKED, 1.0, False, np.nan)])])
    with pytest.raises(UsageError, match=r"tells propensities.*propensities=0.*propensity column"):
        found(unknown, propensity_weighting=True)
    assert len(found(unknown)[1]) == 2


def test_a_log_without_orders_is_learnt_from_its_clicks():
    clicks = make_searches([(1, 0, 0, [(4, CLICKED, 1.0, False, 1.0)]), (1, 1, 1, [(5, CLICKED, 1.0, False, 1.0)])])
    positives, weights = found(clicks)
    assert weights == {(0, 4): 0.5, (1, 5): 0.5}
    masked, log_weight = positives.against(np.array([0]), np.array([4, 5]))
    assert masked.tolist() == [[True, False]]
    assert log_weight.tolist() == [[0, 0]]


def test_weights_that_leave_nothing_to_learn_from_are_refused_with_the_counts(searches):
    stages = StageConfig(ordered=0.0, carted=0.0, favorited=0.0, clicked=0.0)
    with pytest.raises(UsageError, match=r"clicked': 2, 'favorited': 1, 'carted': 1, 'ordered': 2.*Give a stage"):
        found(searches, stages=stages)
