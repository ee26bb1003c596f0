import numpy as np
import pytest

from aisle.core.errors import WorkspaceError
from aisle.store.kept_fields import FieldsWriter, KeptFields

FIELDS = {0: {"title": "Öl"}, 3: {"title": "", "price": 1.5, "category": ["a", None]}, 1: {"title": "x" * 100}}


@pytest.fixture
def folder(tmp_path):
    writer = FieldsWriter(tmp_path)
    writer.add([0, 3], [FIELDS[0], FIELDS[3]])
    writer.add([1], [FIELDS[1]])
    writer.close()
    return tmp_path


def test_what_was_written_is_read_and_nothing_else(folder):
    kept = KeptFields(folder)
    assert kept.read([3, 2, 0, 1, 4, 99]) == FIELDS
    assert kept.read([]) == {}
    kept.close()


def test_what_changed_is_not_told_also_after_opening_again(folder):
    kept = KeptFields(folder)
    kept.note_changed([3, 99])
    assert kept.read([0, 3]) == {0: FIELDS[0]}
    kept.close()
    again = KeptFields(folder)
    again.note_changed([3, 1])
    assert again.read([0, 1, 3]) == {0: FIELDS[0]}
    assert np.fromfile(folder / "fields_changed.bin", np.int64).tolist() == [3, 1]
    again.close()


def test_a_note_that_was_cut_is_written_over(folder):
    with (folder / "fields_changed.bin").open("wb") as file:
        file.write(np.array([1], np.int64).tobytes() + b"abc")
    kept = KeptFields(folder)
    assert kept.read([0, 1]) == {0: FIELDS[0]}
    kept.note_changed([0])
    kept.close()
    assert np.fromfile(folder / "fields_changed.bin", np.int64).tolist() == [1, 0]


def test_an_empty_catalogue_keeps_nothing(tmp_path):
    FieldsWriter(tmp_path).close()
    kept = KeptFields(tmp_path)
    kept.note_changed([0])
    assert kept.read([0, 1]) == {}
    kept.close()


@pytest.mark.parametrize("name", ["fields.npy", "fields.jsonl", "fields_changed.bin"])
def test_a_missing_file_is_told(folder, name):
    (folder / name).unlink()
    with pytest.raises(WorkspaceError, match="kept fields"):
        KeptFields(folder)


def test_a_damaged_line_is_told(folder):
    (folder / "fields.jsonl").write_bytes(b"{")
    kept = KeptFields(folder)
    with pytest.raises(WorkspaceError, match="kept fields"):
        kept.read([3])
    kept.close()
