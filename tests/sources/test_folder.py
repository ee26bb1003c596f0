import pytest

from aisle.core.errors import SourceError
from aisle.sources.folder import find_file, find_files


def test_a_plain_file_goes_before_a_packed_one(tmp_path):
    (tmp_path / "a.csv.gz").write_bytes(b"")
    assert find_file(tmp_path, "a.csv").name == "a.csv.gz"
    (tmp_path / "a.csv").write_bytes(b"")
    assert find_file(tmp_path, "a.csv").name == "a.csv"
    assert find_file(tmp_path, "b.csv") is None


def test_every_missing_file_is_named(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"")
    with pytest.raises(SourceError, match=r"folder of X must hold a\.csv, b, c\. Received.*missing=\['b', 'c'\]"):
        find_files(tmp_path, ("a.csv", "b", "c"), source="X", remedy="Get it.")
