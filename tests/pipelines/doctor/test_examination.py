import pytest

from aisle.pipelines.doctor import examine


def test_everything_is_looked_at(shop):
    found = examine(shop.path)
    assert {one.area for one in found.findings} == {"installation", "workspace"}
    told = found.as_dict()
    assert told["problems"] == found.num_problems == sum(one.state == "problem" for one in found.findings)
    assert len(told["findings"]) == len(found.findings)
    assert set(told["findings"][0]) == {"area", "name", "state", "told", "remedy"}


def test_a_workspace_that_is_not_there_is_no_problem(tmp_path):
    last = examine(tmp_path / "none").findings[-1]
    assert (last.state, last.name) == ("warning", "workspace")
    assert "aisle import" in last.remedy


@pytest.mark.parametrize("content", [b"{", b'{"format_version": 99}', b"\xff"])
def test_a_workspace_that_cannot_be_opened_is_a_problem(tmp_path, content):
    (tmp_path / "workspace.json").write_bytes(content)
    found = examine(tmp_path)
    assert found.num_problems == 1
    assert "format version" in found.findings[-1].told


def test_what_is_served_is_looked_at(shop):
    (shop.path / "versions" / "v1").mkdir(parents=True)
    found = {one.name: one for one in examine(shop.path).findings}
    assert found["v1"].state == "problem"
    assert found["current"].state == "problem"
