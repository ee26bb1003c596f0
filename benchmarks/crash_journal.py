"""Kills of a process that writes to a journal by itself, and what else can go wrong with a journal's files."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

from aisle.core.errors import WorkspaceError
from aisle.core.rng import generator
from aisle.store import Journal, ProductChange, inspect_journal
from crash_ledger import Findings, Ledger

_WRITER = Path(__file__).parent / "crash_writer.py"
_MANY = 10**9
_MOUNT_BYTES = 4 * 2**20


def kill_writers(folder: Path, *, rounds: int, longest_s: float) -> Findings:
    """Kill a writing process at random moments, again and again on one journal, then look for every call.

    Args:
        folder: Of the journal; made.
        rounds: Number of kills.
        longest_s: Longest time between a process's first acknowledged call and its end.
    """
    ledger, rng = Ledger(), generator(0, "kills")
    for number in range(rounds):
        for line in killed_output(folder, number, after_s=float(rng.random()) * longest_s):
            word, token, *more = line.split(" ")
            if word == "send":
                ledger.send(token, int(more[0]))
            else:
                ledger.acknowledge(token)
    inspect_journal(folder)
    return ledger.compare(rows_of(folder))


def killed_output(folder: Path, number: int, *, after_s: float) -> list[str]:
    """Run a writer, kill it some time after its first acknowledged call, and return the whole lines that it printed."""
    writer = subprocess.Popen([sys.executable, str(_WRITER), str(folder), str(number)], stdout=subprocess.PIPE)
    assert writer.stdout is not None
    lines = [writer.stdout.readline()]
    while not lines[-1].startswith(b"done"):
        assert lines[-1], "the writer ended by itself"
        lines.append(writer.stdout.readline())
    reader = Thread(target=lambda: lines.extend(writer.stdout or ()))
    reader.start()
    time.sleep(after_s)
    writer.kill()
    writer.wait()
    reader.join()
    writer.stdout.close()
    return [line.decode().rstrip("\n") for line in lines if line.endswith(b"\n")]


def rows_of(folder: Path) -> Iterator[tuple[str, str]]:
    """Return the two tokens of every row."""
    with Journal.open(folder) as journal:
        for change in journal.product_changes(0, most=_MANY):
            product = change.product or {"title": change.product_id, "brand": change.product_id}
            yield product["title"], product["brand"]
        for one in journal.events(0, most=_MANY):
            yield str(one.event.query), str(one.event.user_id)


def cut_everywhere(folder: Path) -> dict[str, object]:
    """Cut the log at every byte of its last record, and count how often the cut was found and nothing else was lost."""
    journal = Journal.open(folder / "whole")
    for number in range(20):
        journal.append_products([ProductChange(f"p{number}", {"title": f"p{number}"})])
    log = folder / "whole" / "journal.db-wal"
    first = log.stat().st_size
    journal.append_products([ProductChange("last", {"title": "last"})])
    last = log.stat().st_size
    files = {path.name: path.read_bytes() for path in (folder / "whole").iterdir() if not path.name.endswith("-shm")}
    journal.close()
    found, kept = 0, 0
    for size in range(first, last):
        shutil.rmtree(folder / "cut", ignore_errors=True)
        (folder / "cut").mkdir()
        for name, content in files.items():
            (folder / "cut" / name).write_bytes(content[:size] if name == log.name else content)
        with contextlib.suppress(WorkspaceError):
            Journal.open(folder / "cut").close()
            found -= 1
        found += 1
        with Journal.open(folder / "cut", accept_loss=True) as left:
            kept += [change.offset for change in left.product_changes(0, most=99)] == list(range(1, 21))
    return {"cuts": last - first, "found": found, "rest_kept": kept}


def fill_disk(folder: Path) -> dict[str, object]:
    """Let a small disk run full: calls that do not fit raise and leave nothing, later ones work when there is room."""
    folder.mkdir()
    size = f"size={_MOUNT_BYTES}"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True).returncode:
        return {"skipped": "mount is not allowed"}
    try:
        return _fill(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def _fill(folder: Path) -> dict[str, object]:
    acknowledged: list[str] = []
    refused, ballast = 0, folder / "ballast"
    with Journal.open(folder / "journal") as journal:
        ballast.write_bytes(b"x" * (_MOUNT_BYTES // 2))
        while refused < 20:
            number, size = len(acknowledged) + refused, 1_000 if refused % 2 else 100_000
            try:
                journal.append_products([ProductChange(f"p{number}", {"title": "x" * size, "brand": str(size)})])
                acknowledged.append(f"p{number}")
            except WorkspaceError as error:
                refused += "There must be room on the disk" in str(error)
        ballast.unlink()
        journal.append_products([ProductChange("after", {"title": "x" * 10_000})])
        acknowledged.append("after")
    inspect_journal(folder / "journal")
    with Journal.open(folder / "journal") as journal:
        found = [change.product_id for change in journal.product_changes(0, most=_MANY)]
    return {"acknowledged": len(acknowledged), "refused": refused, "nothing_else_there": found == acknowledged}


def turn_clock_back(folder: Path) -> dict[str, object]:
    """Set the clock back between calls: offsets and the order of changes do not care."""
    clock = [datetime(2026, 6, 1, tzinfo=UTC)]
    with Journal.open(folder, clock=lambda: clock[0]) as journal:
        for back_days in (0, 1, 400, -1, 9_000):
            clock[0] -= timedelta(days=back_days)
            journal.append_products([ProductChange("p", {"title": str(back_days)})])
        changes = journal.product_changes(0, most=9)
    times = [change.updated_at for change in changes]
    newest = max(changes, key=lambda change: (change.updated_at, change.offset))
    return {
        "offsets_grow": [change.offset for change in changes] == [1, 2, 3, 4, 5],
        "times_never_fall": times == sorted(times),
        "last_change_counts": newest.product == {"title": "9000"},
    }
