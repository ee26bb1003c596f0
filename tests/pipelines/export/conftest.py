import pytest

from aisle.pipelines.export.exporting import export_workspace


@pytest.fixture(scope="session")
def exported(built_shop, tmp_path_factory):
    """A model of words alone, exported: outcome and folder."""
    folder = tmp_path_factory.mktemp("export") / "words"
    return export_workspace(built_shop, folder), folder


@pytest.fixture(scope="session")
def exported_log(learnt_shop, tmp_path_factory):
    """A model of all channels, exported: outcome and folder."""
    folder = tmp_path_factory.mktemp("export") / "log"
    return export_workspace(learnt_shop, folder), folder
