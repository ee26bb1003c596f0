import csv
import gzip
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import SourceError
from aisle.sources.delimited import read_delimited


def read(folder, content, name="a.csv"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_delimited(path)


def test_every_field_is_text_and_empty_fields_are_null(tmp_path):
    table, rejected = read(tmp_path, 'id,title,price\n007,"a ""b"", c",1.50\n2,,\n')
    assert table.to_pylist() == [
        {"id": "007", "title": 'a "b", c', "price": "1.50"},
        {"id": "2", "title": None, "price": None},
    ]
    assert rejected.num_rows == 0


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_header_tells_the_delimiter(tmp_path, delimiter):
    table, _ = read(tmp_path, f'id{delimiter}"a, b; c"\n1{delimiter}x\n')
    assert table.to_pylist() == [{"id": "1", "a, b; c": "x"}]


def test_tsv_is_tab_separated_whatever_its_header(tmp_path):
    table, _ = read(tmp_path, "a,b,c\tid\nx\t1\n", "a.tsv")
    assert table.to_pylist() == [{"a,b,c": "x", "id": "1"}]


def test_bad_lines_are_rejected_with_their_line_in_the_file(tmp_path):
    content = '\nid,title,price\n1,"two\nlines",3\n2,x,4,5,6\n3,y\n\n4,z,7\n5,"bad"quote,3\n6,w,8\n'
    table, rejected = read(tmp_path, content)
    assert table["id"].to_pylist() == ["1", "4", "6"]
    assert rejected.to_pylist() == [
        {"line": 5, "reason": "has 5 fields, the header has 3", "text": "2,x,4,5,6"},
        {"line": 6, "reason": "has 2 fields, the header has 3", "text": "3,y"},
        {
            "line": 9,
            "reason": "has a quote that is not closed, or text after a closing quote",
            "text": '5,"bad"quote,3',
        },
    ]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_of_every_kind(tmp_path, line_end):
    table, rejected = read(tmp_path, line_end.join(["id,title", "1,a", "2,b,c", "3,d"]))
    assert table["title"].to_pylist() == ["a", "d"]
    assert rejected["line"].to_pylist() == [3]


def test_mixed_line_ends_are_read(tmp_path):
    table, rejected = read(tmp_path, "id,title\n1,a\r\n2,b\n3,c\r\n")
    assert table["title"].to_pylist() == ["a", "b", "c"]
    assert rejected.num_rows == 0


def test_gzip_and_byte_order_mark(tmp_path):
    table, rejected = read(tmp_path, gzip.compress(b"\xef\xbb\xbfid,title\n1,a\n2,b,c\n"), "a.csv.gz")
    assert table.to_pylist() == [{"id": "1", "title": "a"}]
    assert rejected["line"].to_pylist() == [3]


def test_headers_may_be_quoted_over_lines_padded_or_blank(tmp_path):
    table, _ = read(tmp_path, '"two\nlines", title ,\n1,a,b\n')
    assert table.to_pylist() == [{"two\nlines": "1", "title": "a", "column3": "b"}]


def test_headers_that_differ_in_case_are_different(tmp_path):
    assert read(tmp_path, "Id,id\n1,2\n")[0].to_pylist() == [{"Id": "1", "id": "2"}]


def test_a_column_name_twice_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"must name each column once.*twice=\['id'\]"):
        read(tmp_path, "id,title,id\n1,a,2\n")


def test_a_header_alone_gives_no_rows(tmp_path):
    table, rejected = read(tmp_path, "id,title\n")
    assert (table.num_rows, table.column_names, rejected.num_rows) == (0, ["id", "title"], 0)


def test_a_quote_that_never_closes_is_refused(tmp_path):
    with pytest.raises(SourceError, match=r"Every quote must be closed.*unclosed quote near line 3;"):
        read(tmp_path, 'id,title,price\n1,a,3\n2,"open,4\n3,y,5\n')


def test_a_quote_that_never_closes_is_found_in_a_large_file(tmp_path):
    lines = [f"{row},title {row} and its many many words,{row}.5" for row in range(400_000)]
    lines[100_000] = '100000,"open,1'
    with pytest.raises(SourceError, match="unclosed quote near line 100002;"):
        read(tmp_path, "\n".join(["id,title,price", *lines]))


def test_an_inch_sign_is_no_quote(tmp_path):
    table, rejected = read(tmp_path, 'id,title\n1,17" monitor\n2,b\n')
    assert table["title"].to_pylist() == ['17" monitor', "b"]
    assert rejected.num_rows == 0


FIELD = st.text(st.sampled_from('ab ,;"\n|é'), min_size=1, max_size=6)


@settings(max_examples=40)
@given(st.lists(st.tuples(FIELD, FIELD), min_size=1, max_size=8))
def test_reads_what_the_csv_module_writes(tmp_path_factory, rows):
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("first", "second"), *rows])
    table, rejected = read(tmp_path_factory.mktemp("csv"), text.getvalue())
    assert list(zip(*(column.to_pylist() for column in table.columns), strict=True)) == rows
    assert rejected.num_rows == 0


def test_the_number_of_fields_is_told_where_several_are_missing(tmp_path):
    (tmp_path / "a.csv").write_text("a,b,c,d,e\n1,2,3,4,5\n6,7\n")
    _, rejected = read_delimited(tmp_path / "a.csv")
    assert rejected["reason"].to_pylist() == ["has 2 fields, the header has 5"]
