import duckdb
import pyarrow as pa

from aisle.core.text import normalise_texts
from aisle.mining import texts
from aisle.mining.texts import normalise_spellings, query_keys

ODD = ["  Ｒed\u00a0 DRESS ", "👗", "فستان أحمر", "a\x00b", "ﷺ" * 600, "x" * 10_000, "a b" * 300, "™"]


def test_short_queries_are_normalised_as_everywhere():
    raw = pa.array(ODD[:4])
    assert query_keys(raw, max_chars=512).to_pylist() == normalise_texts(raw).to_pylist()


def test_keys_are_cut_and_stay_as_they_are_when_made_again():
    keys = query_keys(pa.array(ODD), max_chars=64)
    assert max(map(len, keys.to_pylist())) <= 64
    assert query_keys(keys, max_chars=64).equals(keys)


def test_spellings_are_filled_in_block_by_block(monkeypatch):
    monkeypatch.setattr(texts, "_BLOCK", 3)
    with duckdb.connect() as connection:
        connection.register("odd", pa.table({"query": ODD}))
        connection.execute("CREATE TABLE spellings AS SELECT row_number() OVER () AS spelling, query FROM odd")
        connection.execute("CREATE TABLE spelling_texts (spelling BIGINT, text VARCHAR)")
        normalise_spellings(connection, max_chars=512)
        found = connection.sql(
            "SELECT query, text FROM spellings JOIN spelling_texts USING (spelling) ORDER BY spelling"
        ).fetchall()
    assert found == list(zip(ODD, query_keys(pa.array(ODD), max_chars=512).to_pylist(), strict=True))
