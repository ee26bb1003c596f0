import json

import pytest


@pytest.fixture
def load(tmp_path):
    """Load documents as one file of JSON lines."""
    from aisle.sources.ubi import UbiConfig, load_ubi

    def loaded(*rows, **settings):
        path = tmp_path / "ubi.ndjson"
        path.write_text("".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows))
        return load_ubi(path, UbiConfig(**settings))

    return loaded
