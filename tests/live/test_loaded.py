from threading import Event, Thread

import pytest

from aisle.core.errors import WorkspaceError
from aisle.live.loaded import LoadedVersion
from aisle.live.version import Version
from aisle.store import Journal, ProductChange
from aisle.store.journal_records import from_micros

OLD = from_micros(1_000_000_000_000_000)


def product(name, title="zorblax", **more):
    return ProductChange(name, {"product_id": name, "title": title, **more})


@pytest.fixture
def journal(learnt_folder):
    with Journal.open(learnt_folder / "journal") as opened:
        yield opened


@pytest.fixture
def load(learnt_folder, journal, clock):
    """Load the shop's version; what is still open is closed at the end."""
    opened = []
    [folder] = [path for path in (learnt_folder / "versions").iterdir() if path.is_dir()]

    def loaded():
        opened.append(LoadedVersion(Version.read(folder), journal, now_us=clock))
        return opened[-1]

    yield loaded
    for one in opened:
        one.close()


def titles(loaded):
    ids = sorted(loaded.ids._index, key=loaded.ids._index.get)
    found = loaded.store.products(loaded.ids.index_of(ids))
    return {name: one["title"] for name, one in zip(ids, found, strict=True) if one is not None}


def test_it_follows_the_journal_in_its_order(load, journal, clock):
    loaded = load()
    before = titles(loaded)
    gone = from_micros(clock.now_us - 1)
    journal.append_products([product("new"), product("p3", "changed"), product("n2", "twice")])
    journal.append_products([ProductChange("p4", None), product("n2", "last"), product("p5", removed_at=gone)])
    journal.append_products([product("p6", removed_at=from_micros(clock.now_us + 10**9))])
    loaded.follow()
    expected = {**before, "new": "zorblax", "p3": "changed", "n2": "last", "p6": "zorblax"}
    assert titles(loaded) == {name: title for name, title in expected.items() if name not in {"p4", "p5"}}
    assert loaded.ids.index_of(["new", "n2"]).tolist() == [32, 33]
    assert loaded.applied_offset == journal.head == 7


def test_a_row_that_is_older_than_the_base_stays_away(load, journal):
    loaded = load()
    assert loaded.is_stale("p3", 1) is True
    assert loaded.is_stale("p3", 2_000_000_000_000_000) is False
    assert loaded.is_stale("other", 1) is False
    journal.append_products([ProductChange("p3", {"product_id": "p3", "title": "old"}, OLD), product("new")])
    loaded.follow()
    assert titles(loaded)["p3"] == "thing word3"
    assert loaded.ids.index_of(["new"]).tolist() == [32]


def test_numbers_are_the_same_after_every_start(load, journal):
    loaded = load()
    journal.append_products([ProductChange("ghost", None), product("b")])
    loaded.follow()
    loaded.flush()
    journal.append_products([product("c"), product("b", "again")])
    loaded.follow()
    told, numbers = titles(loaded), loaded.ids.index_of(["ghost", "b", "c"]).tolist()
    loaded.close()
    again = load()
    again.follow()
    assert (titles(again), again.ids.index_of(["ghost", "b", "c"]).tolist()) == (told, numbers)


def test_what_was_not_flushed_is_applied_again(load, journal):
    loaded = load()
    journal.append_products([product("b")])
    loaded.follow()
    loaded.flush = lambda: None
    loaded.close()
    again = load()
    assert again.applied_offset == 0
    again.follow()
    assert titles(again)["b"] == "zorblax"


def test_a_store_that_is_ahead_of_its_journal_is_refused(load, journal, monkeypatch):
    loaded = load()
    journal.append_products([product("b")])
    loaded.follow()
    loaded.close()
    monkeypatch.setattr(Journal, "head", 0)
    with pytest.raises(WorkspaceError, match=r"followed its own journal.*applied_offset=1, journal_head=0"):
        load()


def test_closing_waits_for_who_has_it_borrowed(load):
    loaded = load()
    inside, done, closed = Event(), Event(), Event()

    def borrow():
        with loaded.borrowed() as is_open:
            assert is_open
            inside.set()
            done.wait(60)

    def close():
        loaded.close()
        closed.set()

    borrower, closer = Thread(target=borrow), Thread(target=close)
    borrower.start()
    assert inside.wait(60)
    closer.start()
    assert not closed.wait(0.05)
    done.set()
    borrower.join()
    closer.join()
    assert closed.is_set()
    with loaded.borrowed() as is_open:
        assert not is_open
