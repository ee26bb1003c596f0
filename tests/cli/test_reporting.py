def test_the_path_is_printed_and_the_rest_told(aisle, built_shop, tmp_path):
    shown = aisle("report", "-w", built_shop.path, "--out", tmp_path / "r.html", "--examples", 0)
    assert shown.code == 0, shown.err
    assert shown.out.strip() == str(tmp_path / "r.html")
    assert "Without ablation: `aisle ablate` makes it." in shown.err
    assert (tmp_path / "r.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_json(aisle_json, built_shop, tmp_path):
    told = aisle_json("report", "-w", built_shop.path, "--out", tmp_path / "r.html", "--examples", 1)
    assert told["path"] == str(tmp_path / "r.html")
    assert told["missing"]["abtest"].startswith("aisle abtest")
    assert "model" in told["shown"]


def test_help_has_an_example(aisle):
    assert "aisle report --workspace shop --out shop.html" in aisle("report", "--help").out


def test_no_workspace_is_one_line(aisle, tmp_path):
    missing = aisle("report", "-w", tmp_path / "none")
    assert missing.code == 1
    assert "The workspace must exist" in missing.err
