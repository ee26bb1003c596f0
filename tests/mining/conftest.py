"""Small search logs, written as tables and mined."""

from types import SimpleNamespace

import pyarrow as pa
import pytest

START_US = 1_735_689_600_000_000
MINUTE_US = 60_000_000
DAY = 1440


def time_us(minutes):
    return None if minutes is None else round(START_US + minutes * MINUTE_US)


def write_table(path, name, rows):
    import pyarrow.parquet as pq

    from aisle.tables import SCHEMAS, TIME

    schema = SCHEMAS[name]
    names = [column for column in schema.names if any(column in row for row in rows)] or list(schema.required)
    names += sorted({key for row in rows for key in row} - set(schema.names))
    columns = {}
    for column in names:
        kind = schema.column(column).type if schema.column(column) else pa.string()
        values = [row.get(column) for row in rows]
        columns[column] = pa.array(map(time_us, values), TIME) if kind == TIME else pa.array(values, kind)
    pq.write_table(pa.table(columns), path)
    return path


def write_log(folder, *, searches, impressions, products, events=(), users=()):
    """Write tables of plain rows; times are minutes since the log's beginning."""
    from aisle.mining import LogFiles

    folder.mkdir(parents=True, exist_ok=True)
    rows = {
        "products": [{"product_id": product, "title": product} for product in products],
        "searches": searches,
        "impressions": impressions,
        "events": events,
        "users": users,
    }
    return LogFiles(**{name: write_table(folder / f"{name}.parquet", name, list(rows[name])) for name in rows})


def mine_rows(folder, config=None, windows=None, carried=None, **tables):
    """Write and mine a log; the result has its files as lists of plain rows."""
    from aisle.mining import MinedLog, MiningConfig, mine_log

    config = config or MiningConfig()
    log = write_log(folder / "log", **tables)
    out = folder / "mined"
    out.mkdir()
    steps = []
    summary = mine_log(
        log,
        out,
        config,
        windows=windows,
        carried=carried,
        advance=lambda num, note="", *, total=None: steps.append(note),
    )
    mined = MinedLog(out)

    def rows(name, part=None):
        return mined.table(name, part).to_pylist()

    return SimpleNamespace(summary=summary, log=mined, rows=rows, folder=out, steps=steps)


@pytest.fixture
def mine_tables(tmp_path_factory):
    """Mine tables of plain rows, in a new folder where none is named; see `mine_rows`."""

    def run(config=None, windows=None, *, carried=None, folder=None, **tables):
        return mine_rows(folder or tmp_path_factory.mktemp("log"), config, windows, carried, **tables)

    return run


def framed(searches):
    """Put searches on day 10 into a log whose other searches, without impressions, make fixed windows.

    Training ends on day 20, its second slice begins on day 5, and validation and test searches follow.
    """
    frame = [("f0", 0, "train"), ("f1", 5, "train"), ("f2", 20, "validation"), ("f3", 30, "test")]
    around = [
        {"search_id": name, "query": "frame", "searched_at": day * DAY, "user_id": None, "split": split}
        for name, day, split in frame
    ]
    named = [{"split": "train" if row["searched_at"] < 20 * DAY else "test", **row} for row in searches]
    return [*around[:2], *named, *around[2:]]


@pytest.fixture
def mine_framed(mine_tables):
    """Mine searches and impressions in the frame of `framed`, with five products a to e; see `mine_tables`."""

    def run(searches, impressions, config=None, **tables):
        from aisle.mining import MiningConfig

        settings = config or MiningConfig(num_slices=2, threads=1, memory_gb=0.5)
        given = {"products": list("abcde"), **tables}
        return mine_tables(settings, searches=framed(searches), impressions=impressions, **given)

    return run
