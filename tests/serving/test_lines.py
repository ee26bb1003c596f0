import asyncio

from hypothesis import given
from hypothesis import strategies as st

from aisle.serving.lines import BLOCK_LINES, Line, blocks_of_lines, lines_of


async def stream(chunks):
    for chunk in chunks:
        yield chunk


def gather(source):
    async def run():
        return [one async for one in source]

    return asyncio.run(run())


def read(*chunks, longest=100):
    return [(line.number, line.text) for line in gather(lines_of(stream(chunks), longest=longest))]


def test_lines_are_cut_wherever_the_chunks_end():
    assert read(b"a\nb", b"c\n", b"", b"d") == [(1, b"a"), (2, b"bc"), (3, b"d")]


def test_blank_lines_count_and_are_left_out():
    assert read(b"a\n\n \r\nb\r\n\n") == [(1, b"a"), (4, b"b\r")]
    assert read() == read(b"") == read(b"\n\n") == []


def test_a_line_of_the_longest_size_is_kept_and_one_byte_more_is_not():
    assert read(b"x" * 100, b"\n", b"y" * 101, b"\nz") == [(1, b"x" * 100), (2, None), (3, b"z")]


def test_a_line_without_end_is_not_held():
    assert read(*[b"x" * 60] * 50, b"\nafter") == [(1, None), (2, b"after")]
    assert read(*[b"x" * 60] * 50) == [(1, None)]


@given(lines=st.lists(st.binary(max_size=30).map(lambda text: text.replace(b"\n", b"")), max_size=20), data=st.data())
def test_cutting_the_body_elsewhere_changes_nothing(lines, data):
    body = b"\n".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=8)))
    chunks = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    expected = [(number, text if len(text) <= 20 else None) for number, text in enumerate(lines, start=1)]
    assert read(*chunks, longest=20) == [(number, text) for number, text in expected if text is None or text.strip()]


def blocks(numbers, **options):
    async def lines():
        for number in numbers:
            yield Line(number, b"x")

    return [[line.number for line in block] for block in gather(blocks_of_lines(lines(), **options))]


def test_blocks_are_full_but_for_the_last():
    assert [len(block) for block in blocks(range(1, BLOCK_LINES * 2 + 3))] == [BLOCK_LINES, BLOCK_LINES, 2]
    assert blocks([]) == []


def test_nothing_is_read_past_the_line_after_the_last():
    assert blocks(range(1, 100), most=3) == [[1, 2, 3, 4]]


def test_long_lines_make_short_blocks():
    async def lines():
        for number in range(1, 6):
            yield Line(number, b"x" * 600_000)

    assert [len(block) for block in gather(blocks_of_lines(lines()))] == [2, 2, 1]
