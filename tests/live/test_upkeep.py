from threading import Event

from aisle.core.errors import WorkspaceError
from aisle.live import upkeep as module
from aisle.live.upkeep import Upkeep


def test_both_are_called_until_it_is_closed(monkeypatch):
    monkeypatch.setattr(module, "_DAY_S", 0.002)
    flushed, compacted = Event(), Event()
    upkeep = Upkeep(flushed.set, compacted.set, every_s=0.001)
    assert flushed.wait(60)
    assert compacted.wait(60)
    upkeep.close()
    flushed.clear()
    assert not flushed.wait(0.01)


def test_one_failure_does_not_end_it(caplog):
    calls, again = [], Event()

    def flush():
        calls.append(1)
        if len(calls) == 1:
            raise WorkspaceError("There must be room on the disk")
        again.set()

    upkeep = Upkeep(flush, lambda: None, every_s=0.001)
    assert again.wait(60)
    upkeep.close()
    assert "There must be room on the disk" in caplog.text
