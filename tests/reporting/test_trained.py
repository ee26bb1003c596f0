from aisle.encoders.config import HistoryEncoderConfig
from aisle.towers import TowerConfig


def test_a_log_is_told_by_stage_and_window(make_trained):
    rows = dict(make_trained().sources())
    assert rows["pairs"] == "68,403, of which 68,403 from the log"
    assert rows["searches"] == "118,924; products 5,508 ordered, 6,614 carted, 2,843 favorited, 43,118 clicked"
    assert rows["learnt window"] == "2025-06-10 to 2025-08-12"
    assert rows["validation window"] == "2025-08-12 to 2025-08-21"
    assert (rows["seed"], rows["data (SHA-256)"]) == ("7", "ab" * 32)


def test_a_catalogue_has_no_windows(make_trained):
    learnt_from = {"products": 36, "pairs": 90, "judged_pairs": 0, "validation_queries": 5, "validation_from": "x"}
    rows = dict(make_trained(learnt_from=learnt_from, log=None).sources())
    assert rows["pairs"] == "90, of which 0 judged"
    assert not {"searches", "learnt window"} & set(rows)


def test_a_log_without_a_test_window_ends_where_it_ends(make_trained):
    log = make_trained().log
    rows = dict(
        make_trained(log={**log, "windows": {**log["windows"], "slice_starts": [], "test_from": None}}).sources()
    )
    assert rows["validation window"] == "2025-08-12 to the end"
    assert rows["learnt window"] == "2025-08-12 to 2025-08-12"


def test_figures_name_the_measure_that_chose(make_trained):
    rows = dict(make_trained().figures())
    assert rows["validation"] == "R@10 0.5000, R@100 0.7500, nDCG@10 0.2500; weights chosen by R@10"
    assert rows["steps"] == "40 of 50 planned, 512 pairs each"


def test_history_is_no_part_and_is_told(make_trained):
    assert make_trained().parts() == "term (16 dimensions), text (16 dimensions); fusion: post"
    towers = TowerConfig(embedding_dim=8, history=HistoryEncoderConfig(enabled=True))
    assert make_trained(towers=towers).parts() == "term (8 dimensions); fusion: post; history corrects the query"


def test_the_model_that_was_gone_on_from_is_told(make_trained):
    assert "gone on from" not in dict(make_trained().sources())
    rows = dict(make_trained(started_from={"model": "ab12", "learnt_until": "2025-08-12T00:00:26Z"}).sources())
    assert rows["gone on from"] == "model ab12, which had learnt until 2025-08-12"
