import contextlib
import datetime
import shutil
import sqlite3
import threading
from collections import Counter

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aisle.core.errors import UsageError, WorkspaceError
from aisle.store.journal import Journal
from aisle.store.journal_database import open_reader
from aisle.store.journal_records import Compacted, JournalEvent, ProductChange
from aisle.tables import TIME

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "journal"


@pytest.fixture
def journal(folder):
    with Journal.open(folder, clock=lambda: NOON) as journal:
        yield journal


def put(*ids, size=1):
    return [ProductChange(name, {"title": "x" * size}) for name in ids]


def click(number=0, **fields):
    return JournalEvent(NOON - number * DAY, "click", **fields)


def ids(journal):
    return [change.product_id for change in journal.product_changes(0, most=10**6)]


def test_what_was_appended_is_there_when_it_is_opened_again(folder):
    with Journal.open(folder) as journal:
        assert journal.head == 0
        assert journal.append_products([*put("a"), ProductChange("b", None, NOON)]) == [1, 2]
        assert journal.append_events([click(user_id="u")]) == [3]
        assert journal.head == 3
    with Journal.open(folder) as journal:
        assert journal.head == 3
        assert [(one.product_id, one.product) for one in journal.product_changes(0, most=9)] == [
            ("a", {"title": "x"}),
            ("b", None),
        ]
        assert journal.product_changes(1, most=9)[0].updated_at == NOON
        assert [one.event for one in journal.events(2, most=9)] == [click(user_id="u")]
        assert journal.append_products(put("a")) == [4]


def test_nothing_appended_is_no_error(journal):
    assert journal.append_products([]) == []
    assert journal.append_events([]) == []
    assert journal.head == 0


def test_a_call_that_cannot_be_written_writes_nothing(journal):
    with pytest.raises(UsageError, match="A journalled product_id"):
        journal.append_products([*put("a"), ProductChange("", None)])
    with pytest.raises(UsageError, match="must be numbers, texts"):
        journal.append_products([*put("a"), ProductChange("b", {"title": b"bytes"})])
    assert ids(journal) == []
    assert journal.append_products(put("c")) == [1]


def test_calls_of_many_threads_are_each_whole_and_in_one_sequence(journal):
    found = {}

    def append(thread):
        for call in range(5):
            names = [f"{thread}-{call}-{row}" for row in range(3)]
            found.update(zip(journal.append_products(put(*names)), names, strict=True))

    threads = [threading.Thread(target=append, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {one.offset: one.product_id for one in journal.product_changes(0, most=999)} == found
    assert sorted(found) == list(range(1, 121))
    assert all(found[offset][:-1] == found[offset + 2][:-1] for offset in range(1, 121, 3))


def test_a_closed_journal_is_refused_in_words(folder):
    journal = Journal.open(folder)
    journal.close()
    journal.close()
    for call in (lambda: journal.append_products(put("a")), lambda: journal.product_changes(0, most=1)):
        with pytest.raises(UsageError, match="The journal must be open"):
            call()


def test_only_one_may_write(journal, folder):
    with pytest.raises(WorkspaceError, match="Only one process may write to a journal"):
        Journal.open(folder)
    journal.close()
    Journal.open(folder).close()


def test_a_journal_that_cannot_be_opened_gives_its_lock_back(folder):
    folder.mkdir()
    (folder / "journal.db").write_bytes(b"")
    for _ in range(2):
        with pytest.raises(WorkspaceError, match="is no SQLite database"):
            Journal.open(folder)


def test_a_full_disk_stops_one_call_and_no_other(journal):
    def limit(pages):
        journal._writer.maintain(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}").fetchone())

    assert journal.append_products(put("before")) == [1]
    limit(15)
    with pytest.raises(WorkspaceError, match=r"There must be room on the disk.*nothing of this request was written"):
        journal.append_products([*put("small"), *put("large", size=10**5)])
    assert journal.append_products(put("after")) == [2]  # what fits is still taken
    assert ids(journal) == ["before", "after"]
    limit(10**6)
    assert journal.append_products(put("large", size=10**5)) == [3]


def test_a_row_changed_by_another_program_is_found(journal, folder):
    journal.append_products(put("a"))
    other = sqlite3.connect(folder / "journal.db")
    with other:
        other.execute("UPDATE product_changes SET product = '{}'")
    other.close()
    with pytest.raises(
        WorkspaceError, match=r"Every row of the journal must be as it was written\. Received: offset=1"
    ):
        journal.product_changes(0, most=1)


def test_a_clock_that_goes_back_moves_nothing_back(folder):
    times = iter([NOON, NOON - 300 * DAY, NOON - 300 * DAY, NOON + DAY])
    with Journal.open(folder, clock=lambda: next(times)) as journal:
        assert journal.append_products(put("a")) == [1]
        assert journal.append_products(put("a")) == [2]
        assert journal.append_events([click()]) == [3]
        assert journal.append_products(put("a")) == [4]
        assert [one.updated_at for one in journal.product_changes(0, most=9)] == [NOON, NOON, NOON + DAY]


@pytest.mark.parametrize("kind", ["user", "client", "session"])
def test_not_a_byte_of_an_erased_actor_stays(journal, folder, kind):
    journal.append_events([click(number % 3, **{f"{kind}_id": f"erase-me-{number % 2}"}) for number in range(50)])
    assert any(b"erase-me-1" in path.read_bytes() for path in folder.iterdir())
    assert journal.erase_actor(kind, "erase-me-1") == 25
    assert not any(b"erase-me-1" in path.read_bytes() for path in folder.iterdir())
    assert len(journal.events(0, most=99)) == 25
    assert journal.erase_actor(kind, "erase-me-1") == 0
    with pytest.raises(UsageError, match="The kind of an actor must be one of user, client, session"):
        journal.erase_actor("shop", "x")


def test_a_reader_elsewhere_that_keeps_erased_bytes_in_the_log_is_told(journal, folder, monkeypatch):
    journal._writer.maintain(lambda connection: connection.execute("PRAGMA busy_timeout = 1").fetchone())
    journal.append_events([click(user_id="u")])
    other = sqlite3.connect(folder / "journal.db")
    other.execute("BEGIN")
    other.execute("SELECT * FROM events").fetchone()
    with pytest.raises(WorkspaceError, match="No other program may read the journal while its log is emptied"):
        journal.erase_actor("user", "u")
    other.close()
    assert journal.events(0, most=9) == []
    assert journal.erase_actor("user", "u") == 0


def test_pins_hold_back_compaction_until_they_are_taken_out(journal):
    journal.append_products(put("a", "b", "a", size=9_000))
    journal.append_products(put("a", "b"))
    journal.pin("v1", 3)
    journal.pin("v2", 5)
    assert journal.pins() == {"v1": 3, "v2": 5}
    assert journal.compact(30).product_changes == 3
    assert [one.offset for one in journal.product_changes(0, most=9)] == [4, 5]
    journal.append_products(put("b"))
    assert journal.compact(30).product_changes == 0
    journal.pin("v1", 6)
    journal.unpin("v2")
    journal.unpin("v2")
    assert journal.compact(30).product_changes == 1
    assert journal.pins() == {"v1": 6}
    with pytest.raises(UsageError, match=r"one that the journal has reached\. Received: offset=7, head=6"):
        journal.pin("v3", 7)


def test_compaction_frees_room_and_offsets_go_on(journal):
    for _ in range(5):
        journal.append_products(put("a", "b", size=50_000))
    journal.append_events([click(number) for number in range(20)])
    compacted = journal.compact(9.5)
    assert (compacted.product_changes, compacted.events) == (8, 10)
    assert compacted.bytes_freed > 8 * 50_000
    assert journal.size_bytes < 250_000
    assert journal.append_products(put("c")) == [31]
    listed = pa.table({"product_id": ["a", "b"], "updated_at": pa.array([NOON + DAY, NOON - DAY], TIME)})
    assert journal.compact(9.5, catalogue=listed).product_changes == 1
    assert journal.compact(9.5, catalogue=listed) == Compacted(0, 0, 0)
    assert ids(journal) == ["b", "c"]


@pytest.fixture
def killed(folder, tmp_path):
    """A journal as a kill leaves it, with its log's size before its last call and after it."""
    with Journal.open(folder) as journal:
        for name in "abcdef":
            journal.append_products(put(name))
        size = (folder / "journal.db-wal").stat().st_size
        journal.append_products([ProductChange("last", {"title": "last"}), *put("too")])
        copy = tmp_path / "killed"
        shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*-shm"))
    return copy, size


@pytest.mark.slow
def test_a_log_cut_at_any_byte_of_its_last_record_loses_only_that(killed):
    folder, first = killed
    log = folder / "journal.db-wal"
    found = {}
    for size in range(log.stat().st_size, first - 1, -1):
        with log.open("r+b") as file:
            file.truncate(size)
        with contextlib.closing(open_reader(folder)) as reader:
            read = "SELECT head, (SELECT count(*) FROM product_changes), (SELECT max(product_id) FROM product_changes)"
            found[size] = reader.execute(f"{read} FROM state").fetchone()
    assert found.pop(max(found)) == (8, 8, "too")
    assert len(found) > 4_000
    assert set(found.values()) == {(6, 6, "f")}


@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.9999])
def test_a_cut_log_is_found_and_what_is_left_can_be_used(killed, share):
    folder, first = killed
    log = folder / "journal.db-wal"
    with log.open("r+b") as file:
        file.truncate(first + int(share * (log.stat().st_size - first)))
    with pytest.raises(WorkspaceError, match=r"all that was acknowledged\. Received: .*head=6, acknowledged=8"):
        Journal.open(folder)
    with Journal.open(folder, accept_loss=True) as journal:
        assert ids(journal) == list("abcdef")
        assert journal.append_products(put("g")) == [9]


def test_a_lost_log_is_found_and_can_be_accepted(killed):
    folder, _ = killed
    (folder / "journal.db-wal").unlink()
    with pytest.raises(WorkspaceError, match=r"head=0, acknowledged=8.*--accept-loss"):
        Journal.open(folder)
    with Journal.open(folder, accept_loss=True) as journal:
        assert journal.append_products(put("g")) == [9]
    with Journal.open(folder) as journal:
        assert ids(journal) == ["g"]


def test_a_lost_database_is_found(folder):
    with Journal.open(folder) as journal:
        journal.append_products(put("a"))
    (folder / "journal.db").unlink()
    with pytest.raises(WorkspaceError, match="The journal must hold all that was acknowledged"):
        Journal.open(folder)


def killed_in_a_call(journal, folder, share, name):
    """Return the journal as it is after a kill in a call of three rows, whose record is on disk up to a share of it."""
    witness, log = folder / "acknowledged", folder / "journal.db-wal"
    before, size = witness.read_bytes(), log.stat().st_size
    journal.append_products(put(*(f"{name}-{row}" for row in range(3))))
    copy = folder.with_name(name)
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("*-shm"))
    journal.close()
    (copy / witness.name).write_bytes(before)
    with (copy / log.name).open("r+b") as file:
        file.truncate(size + round(share * (file.seek(0, 2) - size)))
    return Journal.open(copy), copy


_CALLS = st.one_of(
    st.tuples(st.just("put"), st.lists(st.sampled_from("abcd"), min_size=1, max_size=3)),
    st.tuples(st.just("click"), st.integers(0, 3)),
    st.tuples(st.just("reopen"), st.none()),
    st.tuples(st.just("kill"), st.floats(0, 1)),
)


@settings(max_examples=25)
@given(st.lists(_CALLS, max_size=10))
def test_any_calls_reopenings_and_kills_keep_what_was_acknowledged_and_no_half_call(tmp_path_factory, calls):
    folder = tmp_path_factory.mktemp("journals") / "first"
    journal, acknowledged = Journal.open(folder), {}
    for number, (call, value) in enumerate(calls):
        if call == "put":
            rows = [ProductChange(name, {"title": f"{name}{number}"}) for name in value]
            texts = [f"{row.product_id} {row.product}" for row in rows]
            acknowledged.update(zip(journal.append_products(rows), texts, strict=True))
        elif call == "click":
            acknowledged.update(zip(journal.append_events([click(value)]), [str(click(value))], strict=True))
        elif call == "reopen":
            journal.close()
            journal = Journal.open(folder)
        else:
            journal, folder = killed_in_a_call(journal, folder, value, f"kill{number}")
        found = {one.offset: f"{one.product_id} {one.product}" for one in journal.product_changes(0, most=999)}
        found |= {one.offset: str(one.event) for one in journal.events(0, most=999)}
        killed = [text for text in found.values() if text.startswith("kill")]
        assert acknowledged.items() <= found.items()
        assert len(killed) == len(found) - len(acknowledged)
        assert set(Counter(text.split("-")[0] for text in killed).values()) <= {3}
        assert sorted(found) == list(range(1, journal.head + 1))
    journal.close()
