import pytest

from aisle.core.errors import WorkspaceError
from aisle.pipelines.realism import report_realism
from aisle.pipelines.simulating import simulate_marketplace
from aisle.simulation import MarketplaceConfig
from aisle.workspace import Workspace


def test_a_simulated_log_is_measured_and_shown(tmp_path):
    workspace = Workspace.open(tmp_path / "shop", create=True)
    config = MarketplaceConfig(products=1_000, searches=3_000, users=600, days=30, seed=1)
    simulate_marketplace(workspace, config)
    lines = report_realism(workspace, tmp_path / "report.html")
    ours = {line.measure: line.simulated for line in lines}
    assert 0.1 < ours["searches_with_click"] < 0.6
    assert 0 < ours["searches_with_order"] < ours["searches_with_click"]
    assert ours["click_share_first"] > ours["click_share_second"] > 0
    assert 2.5 < ours["words_per_query"] < 5.5
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "3,000 searches" in page


def test_a_workspace_without_a_log_is_refused(tmp_path):
    with pytest.raises(WorkspaceError, match="searches"):
        report_realism(Workspace.open(tmp_path / "shop", create=True), tmp_path / "report.html")
