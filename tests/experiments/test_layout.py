import numpy as np
from rich.console import Console

from aisle.experiments import Claim, PlainTable, ablation_tables, hold_against


def test_tables(compared):
    rows = compared(labels=("truth", "log"), slices={"head": np.arange(200) < 50}, helps=0.2, same=0.0)
    held = hold_against([Claim("helps", "R@100", "it helps", "Etsy", "second-hand", lift=0.25)], rows, labels="truth")
    tables = ablation_tables(rows, held, told={"truth": "true products (simulated)", "log": "orders"})
    means, differences, by_slice, slice_differences, log, claims = tables
    assert means.title.startswith("true products (simulated): mean")
    assert means.header == ("row", "seeds", "R@100", "minutes", "CPU minutes")
    assert [row[0] for row in means.rows] == ["unified", "helps", "same"]
    assert (means.rows[0][1], *means.rows[0][-2:]) == ("1", "1.5", "2.0")
    assert [row[:2] for row in differences.rows] == [("helps", "unified"), ("same", "unified")]
    assert differences.rows[0][2].startswith("+0.1")
    assert differences.rows[0][2].endswith("] p<0.001")
    assert differences.rows[1][2] == "no different here"
    assert (by_slice.header, slice_differences.header) == (("row", "head"), ("row", "head"))
    assert log.title.startswith("orders: mean")
    assert claims.rows[0][-1] == "agrees; figure inside the interval"
    assert claims.rows[0][3].startswith("+25.0% [")
    assert PlainTable.of_json({"title": "t", "header": ["a"], "rows": [["1"]]}) == PlainTable("t", ("a",), (("1",),))


def test_without_claims_and_slices_their_tables_are_absent(compared):
    assert len(ablation_tables(compared(helps=0.2), [], told={"truth": "true products"})) == 2


def test_markdown_and_terminal():
    table = PlainTable("what", ("row", "value"), (("[bold]a", ".5 [.4, .6]"),))
    assert table.markdown() == ["**what**", "", "| row | value |", "| --- | --- |", "| [bold]a | .5 [.4, .6] |"]
    console = Console(width=60)
    with console.capture() as captured:
        console.print(table.rich())
    assert "[bold]a" in captured.get()
    assert ".5 [.4, .6]" in captured.get()
