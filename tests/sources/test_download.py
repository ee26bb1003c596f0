import hashlib

import pytest

from aisle.core.errors import SourceError, UsageError
from aisle.sources.download import fetch

CONTENT = bytes(range(256)) * 20


@pytest.fixture
def url(site):
    site.files["/data.zip"] = CONTENT
    return f"{site.url}/data.zip"


def test_a_file_is_fetched_once(site, url, tmp_path):
    path = fetch(url, tmp_path / "data.zip")
    assert path.read_bytes() == CONTENT
    fetch(url, path)
    assert site.requests == [("/data.zip", None)]
    assert list(tmp_path.iterdir()) == [path]


def test_a_broken_download_goes_on_where_it_stopped(site, url, tmp_path):
    path = tmp_path / "data.zip"
    site.break_after = 1000
    with pytest.raises(SourceError, match=r"must be reachable.*the connection broke.*again to go on, or use --path"):
        fetch(url, path)
    assert not path.exists()
    site.break_after = None
    assert fetch(url, path).read_bytes() == CONTENT
    assert site.requests == [("/data.zip", None), ("/data.zip", "bytes=1000-")]


def test_a_server_without_ranges_starts_again(site, url, tmp_path):
    (tmp_path / "data.zip.part").write_bytes(b"something else")
    site.with_ranges = False
    assert fetch(url, tmp_path / "data.zip").read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_dropped(url, tmp_path):
    (tmp_path / "data.zip.part").write_bytes(CONTENT + b"more")
    with pytest.raises(SourceError, match="416"):
        fetch(url, tmp_path / "data.zip")
    assert fetch(url, tmp_path / "data.zip").read_bytes() == CONTENT


def test_what_is_not_there_is_told(site, tmp_path):
    with pytest.raises(SourceError, match="404"):
        fetch(f"{site.url}/none.zip", tmp_path / "none.zip")
    assert list(tmp_path.iterdir()) == []


def test_without_network_the_error_names_the_way_out(tmp_path):
    with pytest.raises(SourceError, match=r"must be reachable.*use --path"):
        fetch("http://127.0.0.1:1/data.zip", tmp_path / "data.zip")


def test_other_urls_are_refused(tmp_path):
    with pytest.raises(UsageError, match="must be http or https"):
        fetch("file:///etc/passwd", tmp_path / "a")


def test_a_file_of_another_content_is_dropped(url, tmp_path):
    with pytest.raises(SourceError, match="must have the known SHA-256"):
        fetch(url, tmp_path / "data.zip", sha256="0" * 64)
    assert list(tmp_path.iterdir()) == []
    right = hashlib.sha256(CONTENT).hexdigest()
    assert fetch(url, tmp_path / "data.zip", sha256=right).read_bytes() == CONTENT
