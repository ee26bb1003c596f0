import pytest

from aisle.core.errors import UsageError
from aisle.pipelines.demo import run_demo
from aisle.workspace import Workspace


@pytest.mark.slow
def test_the_whole_way_and_a_second_time_from_what_is_there(tiny_recipe, tmp_path):
    workspace = Workspace.open(tmp_path / "demo", create=True)
    said: list[str] = []
    settings = {"data": "generated", "data_dir": None, "num_products": 150, "say": said.append}
    first = run_demo(workspace, tiny_recipe(), **settings)
    assert workspace.names() == ["features", "index", "judgments", "model", "products"]
    assert set(first.as_dict()["systems"]) == {"lexical", "semantic", "hybrid"}
    assert first.as_dict()["min_grade"] == 3
    assert [line[:3] for line in said if line[0].isdigit()] == ["1/4", "2/4", "3/4", "4/4"]
    assert "150 products" in said[0]
    assert any("validation recall" in line for line in said)
    assert any("ann_recall" in line for line in said)
    said.clear()
    second = run_demo(workspace, tiny_recipe(), **settings)
    assert sum("unchanged" in line for line in said) == 2
    assert second.as_dict() == first.as_dict()


def test_a_data_set_that_is_not_known_leaves_nothing(tiny_recipe, tmp_path):
    workspace = Workspace.open(tmp_path / "demo", create=True)
    with pytest.raises(UsageError, match="Did you mean icecat"):
        run_demo(workspace, tiny_recipe(), data="icecta", data_dir=None, num_products=100, say=lambda line: None)
    assert workspace.names() == []
