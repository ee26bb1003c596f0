from threading import Event, Thread

import pytest

from aisle.core.errors import UsageError, WorkspaceError
from aisle.live import LiveSearch
from aisle.live.building import fill_version


class Fill:
    """Fills when it is told to, or fails."""

    def __init__(self, error=None):
        self.may_go, self.error = Event(), error

    def __call__(self, folder):
        assert self.may_go.wait(60)
        if self.error is not None:
            raise self.error
        fill_version(folder)

    def end(self):
        self.may_go.set()


def states(shop):
    return [view.state for view in shop.versions()]


def test_writes_during_a_build_are_in_both_versions(live_folder, open_shop):
    fill = Fill()
    shop = open_shop(live_folder, fill=fill)
    first = shop.state().version
    shop.put([{"product_id": "before", "title": "zorblax before"}])
    view = shop.build_version()
    assert (view.state, states(shop), shop.state().building) == ("building", ["current", "building"], True)
    shop.put([{"product_id": "during", "title": "zorblax during"}])
    with pytest.raises(UsageError, match="One version is built at a time"):
        shop.build_version()
    with pytest.raises(UsageError, match=r"built to its end.*state='building'"):
        shop.switch_version(view.id)
    fill.may_go.set()
    shop._builds.wait()
    assert states(shop) == ["current", "ready"]
    shop.put([{"product_id": "after", "title": "zorblax after"}])
    assert shop.switch_version(view.id).state == "current"
    found = shop.search(LiveSearch("zorblax", mode="lexical"))
    assert ({hit.product_id for hit in found.hits}, found.version) == ({"before", "during", "after"}, view.id)
    shop.delete(["during"])
    assert shop.switch_version(first).state == "current"
    back = shop.search(LiveSearch("zorblax", mode="lexical"))
    assert ({hit.product_id for hit in back.hits}, back.version) == ({"before", "after"}, first)


def test_searches_go_on_while_versions_are_switched(live_folder, open_shop):
    shop = open_shop(live_folder)
    shop.build_version()
    shop._builds.wait()
    ids = [view.id for view in shop.versions()]
    stop, failed, answered = Event(), [], set()

    def search():
        while not stop.is_set():
            try:
                answer = shop.search(LiveSearch("lamp", k=5))
                answered.add(answer.version)
                assert len(answer.hits) == 5
            except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
                failed.append(error)
                return

    threads = [Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for version in (ids[1], ids[0], ids[1]):
        shop.switch_version(version)
        shop.search(LiveSearch("lamp"))
    stop.set()
    for thread in threads:
        thread.join()
    assert failed == []
    assert answered <= set(ids)
    assert answered


def test_a_build_that_fails_says_why_and_changes_nothing(live_folder, open_shop):
    fill = Fill(WorkspaceError("There must be room on the disk"))
    shop = open_shop(live_folder, fill=fill)
    view = shop.build_version()
    fill.may_go.set()
    shop._builds.wait()
    assert states(shop) == ["current", "failed"]
    assert shop.versions()[-1].details["problem"] == "There must be room on the disk."
    with pytest.raises(UsageError, match=r"state='failed', problem='There must be room"):
        shop.switch_version(view.id)
    with pytest.raises(UsageError, match=r"built to its end.*id='never'"):
        shop.switch_version("never")
    assert len(shop.search(LiveSearch("lamp", k=2)).hits) == 2


def test_the_oldest_versions_go(live_folder, open_shop):
    from aisle.live import LiveSettings

    shop = open_shop(live_folder, settings=LiveSettings(kept_versions=1))
    built = []
    for _ in range(2):
        built.append(shop.build_version().id)
        shop._builds.wait()
    assert [view.id for view in shop.versions()] == [shop.state().version, built[-1]]
    assert set(shop._journal.pins()) == {shop.state().version, built[-1]}
