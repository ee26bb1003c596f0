def test_a_boost_is_found_printed_used_and_taken_away(aisle, aisle_json, own_learnt_shop, planted_boost):
    planted_boost()
    path = own_learnt_shop.path
    found = aisle_json("boost", "-w", path, "--trials", 2)
    assert (found["step"], found["kept"], found["simulated"]) == ("boost", True, False)
    assert found["weights"]["quality_stars"] == 0.4
    shown = aisle("boost", "-w", path, "--trials", 2)
    assert "unchanged: skipped" in shown.out
    assert "quality_stars" in shown.out
    assert "+0.4000" in shown.out
    assert "test window, orders, hybrid" in shown.out
    assert "[+1.0000, +1.0000]" in shown.out
    assert "Kept: as planted" in shown.err
    assert "boost" in aisle("search", "word3", "-w", path, "--mode", "semantic", "--explain").out
    off = aisle("boost", "-w", path, "--off")
    assert "taken away" in off.err
    assert "boost" not in aisle("search", "word3", "-w", path, "--mode", "semantic", "--explain").out


def test_nothing_kept_says_so(aisle, own_learnt_shop):
    told = aisle("boost", "-w", own_learnt_shop.path, "--trials", 2)
    assert told.code == 0
    assert "Not kept: the boost is 0" in told.err


def test_no_trials_are_refused(aisle, own_learnt_shop):
    assert aisle("boost", "-w", own_learnt_shop.path, "--trials", 0).code == 2
