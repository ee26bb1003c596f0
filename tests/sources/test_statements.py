from aisle.sources.statements import statement


def test_a_statement_is_read_from_its_file():
    assert statement("kuaisearch/users").startswith("CREATE TEMP TABLE users AS")
