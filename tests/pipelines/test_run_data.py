import pytest

from aisle.core.errors import SourceError, UsageError
from aisle.pipelines.run_data import check_same_data, read_run_data, run_data_path, write_run_data

DATA = {"products": "a" * 64, "queries": "b" * 64}


def test_what_is_written_comes_back(tmp_path):
    run = tmp_path / "out.semantic.trec"
    assert read_run_data(run) is None
    assert write_run_data(run, DATA) == run_data_path(run) == tmp_path / "out.semantic.data.json"
    assert read_run_data(run) == DATA


def test_equal_data_pass_and_others_are_refused_by_name():
    check_same_data(DATA, dict(DATA), name="B")
    text = r"must be evaluated on the same data\. Received: system='B', differing=\['queries'\], queries_here='bbbb"
    with pytest.raises(UsageError, match=text):
        check_same_data(DATA, {**DATA, "queries": "c" * 64}, name="B")
    with pytest.raises(UsageError, match=r"differing=\['products', 'queries'\]"):
        check_same_data(DATA, {}, name="B")


@pytest.mark.parametrize(
    ("text", "message"), [("{", "readable JSON"), ("[1]", "hashes by name"), ('{"a": 1}', "by name")]
)
def test_a_damaged_file_is_refused(tmp_path, text, message):
    (tmp_path / "run.data.json").write_text(text)
    with pytest.raises(SourceError, match=message):
        read_run_data(tmp_path / "run.trec")


def test_a_file_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(UsageError, match="must be writable"):
        write_run_data(tmp_path / "none" / "run.trec", DATA)
