def test_tune_prints_the_front_and_what_was_built(aisle, aisle_json, own_learnt_shop):
    path = own_learnt_shop.path
    command = ("tune", "-w", path, "--ann-recall", 0.5, "--trials", 1, "--max-queries", 5)
    values = aisle_json(*command)
    assert (values["step"], values["skipped"]) == ("tune", False)
    assert values["chosen"]["ann_recall"] >= 0.5
    shown = aisle(*command)
    assert "unchanged: skipped" in shown.out
    assert "→" in shown.out
    assert f"--set index.hnsw.ef_search={values['chosen']['settings']['ef_search']}" in shown.err
    assert "Exact search" in shown.err


def test_an_impossible_recall_is_refused(aisle, own_learnt_shop):
    result = aisle("tune", "-w", own_learnt_shop.path, "--ann-recall", 2)
    assert result.code == 2
    assert "recall must lie above 0 and up to 1" in result.err
