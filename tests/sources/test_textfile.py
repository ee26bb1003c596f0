import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aisle.core.errors import SourceError
from aisle.sources import textfile
from aisle.sources.textfile import inspect_text, open_bytes, readable


def written(folder, content, name="a.csv"):
    path = folder / name
    path.write_bytes(content)
    return path


def test_counts_lines_and_blank_lines(tmp_path):
    file = inspect_text(written(tmp_path, b"a\n\n\nb\nc"))
    assert (file.num_lines, file.num_blank_lines, file.line_end, file.mixed_line_ends) == (5, 2, b"\n", False)


@pytest.mark.parametrize(
    ("content", "mixed"),
    [
        (b"a\r\nb\r\n", False),
        (b"a\nb\n", False),
        (b"a\rb\r", False),
        (b"a\nb\r\n", True),
        (b"a\rb\n", True),
        (b"a", False),
    ],
)
def test_tells_line_ends_apart(tmp_path, content, mixed):
    assert inspect_text(written(tmp_path, content)).mixed_line_ends is mixed


@given(
    st.lists(st.sampled_from([b"a", b"\xc3\xa9", b"\n", b"\r\n"]), min_size=1).map(lambda parts: b"a" + b"".join(parts))
)
def test_pieces_do_not_matter(tmp_path_factory, content):
    path = written(tmp_path_factory.mktemp("pieces"), content)
    whole = inspect_text(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(textfile, "_CHUNK_BYTES", 1)
        assert inspect_text(path) == whole
    lines = content.decode().replace("\r\n", "\n").split("\n")
    assert whole.num_lines == len(lines) - (lines[-1] == "")
    assert whole.num_blank_lines == lines[:-1].count("")


@pytest.mark.parametrize("size", [1, 3, 1 << 20])
def test_names_the_byte_that_is_not_utf8(tmp_path, monkeypatch, size):
    monkeypatch.setattr(textfile, "_CHUNK_BYTES", size)
    path = written(tmp_path, "é,title\n".encode() + b"caf\xe9,b\n")
    with pytest.raises(
        SourceError, match=r"must be UTF-8\. .*byte=12, value=b'\\xe9'.*iconv -f ISO-8859-1 -t UTF-8 a.csv"
    ):
        inspect_text(path)


def test_a_character_cut_off_at_the_end_is_not_utf8(tmp_path):
    with pytest.raises(SourceError, match="byte=2"):
        inspect_text(written(tmp_path, b"ab\xc3"))


def test_recognises_utf16(tmp_path):
    with pytest.raises(SourceError, match="iconv -f UTF-16"):
        inspect_text(written(tmp_path, "id,title\n".encode("utf-16")))


@pytest.mark.parametrize("content", [b"", b"\n \r\n\t", b"\xef\xbb\xbf"])
def test_empty_files_are_refused(tmp_path, content):
    with pytest.raises(SourceError, match="must not be empty"):
        inspect_text(written(tmp_path, content))


@pytest.mark.parametrize("content", [gzip.compress(b"a,b\n" * 1000)[:-12], b"not gzip", gzip.compress(b"a") + b"junk"])
def test_damaged_gzip_is_refused(tmp_path, content):
    with pytest.raises(SourceError, match="must be readable and whole"):
        inspect_text(written(tmp_path, content, "a.csv.gz"))


def test_gzip_is_unpacked(tmp_path):
    path = written(tmp_path, gzip.compress(b"a\nb\n"), "a.csv.gz")
    assert inspect_text(path).num_lines == 2
    with open_bytes(path) as file:
        assert file.read() == b"a\nb\n"


def test_mixed_line_ends_become_one_kind(tmp_path):
    path = written(tmp_path, b"a\r\nb\rc\nd")
    with readable(inspect_text(path)) as plain:
        assert plain.read_bytes() == b"a\nb c\nd"
    assert not plain.exists()


def test_a_usual_file_is_read_in_place_and_a_pattern_through_a_link(tmp_path):
    path = written(tmp_path, b"a\n")
    with readable(inspect_text(path)) as plain:
        assert plain == path
    odd = written(tmp_path, b"b\n", "data[1]*.csv")
    with readable(inspect_text(odd)) as plain:
        assert plain.read_bytes() == b"b\n"
        assert not set("*?[") & set(str(plain))


def test_null_bytes_are_left_out_of_what_is_read_by_line(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"a": "x\0y"}\n{"a": "z"}\n')
    file = inspect_text(path)
    assert file.has_null_bytes
    with readable(file) as plain:
        assert plain == path
    with readable(file, by_line=True) as plain:
        assert plain.read_bytes() == b'{"a": "xy"}\n{"a": "z"}\n'
    path.write_bytes(b"\0\r\na\rb\n")
    with readable(inspect_text(path), by_line=True) as plain:
        assert plain.read_bytes() == b"\na b\n"
