import pyarrow as pa
import pytest

from aisle.sources.engine import engine
from aisle.sources.expressions import Expression, ExpressionError, evaluate, parse_expression

TABLE = pa.table({"name": ["a", "b"], "price": ["4995", "n/a"], "cents": [1, 2], "Cat Path": ["x", None]})


def parse(text):
    with engine(sealed=True) as connection:
        return parse_expression(connection, text, TABLE.column_names)


def values(text, table=TABLE):
    with engine(sealed=True) as connection:
        connection.register("source", table)
        return evaluate(connection, parse_expression(connection, text, table.column_names), table).to_pylist()


def test_a_column_is_taken_as_it_is_named():
    assert parse("Cat Path") == Expression('"Cat Path"', ("Cat Path",))
    assert parse('PRICE || "cat path"').columns == ("price", "Cat Path")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cents / 2", [0.5, 1.0]),
        ("concat(name, '-', cents)", ["a-1", "b-2"]),
        ("CASE WHEN cents BETWEEN 1 AND 1 THEN 'one' END", ["one", None]),
        ("[upper(x) for x in [name]]", [["A"], ["B"]]),
        ("list_transform([cents], lambda x: x + 1)", [[2], [3]]),
        ("CAST(cents AS VARCHAR)", ["1", "2"]),
        ("cents::DOUBLE IS NULL OR name IN ('b')", [False, True]),
        ("'EUR' -- the shop's currency", ["EUR", "EUR"]),
    ],
)
def test_scalar_expressions(text, expected):
    assert values(text) == expected


def test_text_columns_of_numbers_count_where_numbers_are_needed():
    assert values("price / 100") == ["49.95", "n/a"]
    clean = TABLE.set_column(1, "price", pa.array(["4995", None]))
    assert values("price / 100", clean) == [49.95, None]
    assert values("price || '!'") == ["4995!", "n/a!"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pric", r"there is no column 'pric' \(did you mean 'price'\?\)"),
        ("lower(brand) || colour", "there is no column 'brand'; there is no column 'colour'"),
        ("name +", "is neither a column nor an SQL expression"),
        ("name; DROP TABLE x", "is neither a column nor an SQL expression"),
        ("1) FROM source WHERE (true", "must be one expression, not a query"),
        ("1) , (2", "must be one expression, not a query"),
        ("(SELECT 1)", "without subquery"),
        ("*", "without star"),
        ("#1", "without positional_reference"),
        ("$1", "without parameter"),
        ("row_number() OVER ()", "without window"),
        ("sum(cents)", "no scalar function sum"),
        ("unnest([1, 2])", "no scalar function unnest"),
        ("read_text('/etc/passwd')", "no scalar function read_text"),
        ("frobnicate(name)", "no scalar function frobnicate"),
    ],
)
def test_anything_but_a_scalar_expression_is_refused(text, message):
    with pytest.raises(ExpressionError, match=message):
        parse(text)


@pytest.mark.parametrize("text", ["name / 2", "CAST(name AS INTEGER)", "cents || [1] + 1"])
def test_an_expression_that_does_not_fit_its_columns_is_refused(text):
    with pytest.raises(ExpressionError, match="cannot be evaluated"):
        values(text)
