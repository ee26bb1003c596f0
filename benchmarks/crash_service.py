"""Kills of `aisle serve` under requests, and what else can go wrong with what it serves from."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

from aisle.core.rng import generator
from aisle.store.journal_database import open_reader
from crash_client import Caller, Clients, found_products
from crash_ledger import Findings

_COMMAND = [sys.executable, "-c", "from aisle.cli import main; main()", "serve", "--json", "--port", "0"]
_MOUNT_MARGIN_BYTES = 256 * 2**20
"""Room beside the workspace: an engine that maps files sets room aside when it opens a store."""


class Service:
    """`aisle serve` of a workspace, in a process of its own.

    Args:
        workspace: Trained and indexed.
        log: File that takes what the service says.
    """

    def __init__(self, workspace: Path, log: Path) -> None:
        with log.open("ab") as errors:
            command = [*_COMMAND, "--workspace", str(workspace)]
            self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        assert self._process.stdout is not None
        lines = [self._process.stdout.readline()]
        while lines[-1] not in (b"", b"}\n"):
            lines.append(self._process.stdout.readline())
        assert lines[-1], f"aisle serve did not start: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}"
        self.address: str = json.loads(b"".join(lines))["address"]

    def kill(self) -> None:
        """End the process at once, as a power cut would."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Crashes:
    """One workspace, its clients, and what was found after each kill.

    Args:
        workspace: Trained and indexed; it is written to.
        log: File that takes what the service says.
    """

    def __init__(self, workspace: Path, log: Path) -> None:
        self.workspace = workspace
        self._log = log
        self.clients = Clients(3)
        self.rng = generator(0, "kills")
        self.lost = self.half_written = 0
        self._num_checked_events = 0
        self._last_offset = 0

    @property
    def findings(self) -> Findings:
        """All that was found so far."""
        return Findings(self.clients.num_acknowledged, self.lost, self.half_written)

    def round(self, number: int, during: Callable[[Service], None]) -> None:
        """Check what is there, write while something happens, kill, and check the events in the journal."""
        service, stopped, before = self.started(), Event(), self.clients.num_acknowledged
        threads = self.clients.run(service.address, number, stopped=stopped)
        _wait_until(lambda: self.clients.num_acknowledged > before)
        during(service)
        service.kill()
        stopped.set()
        for thread in threads:
            thread.join()
        self._check_events()

    def started(self) -> Service:
        """Start the service, and hold every product that it finds against what it should be."""
        service = Service(self.workspace, self._log)
        caller = Caller(service.address)
        for shelf in self.clients.shelves:
            findings = shelf.hold_against(found_products(caller, list(shelf.settled)))
            self.lost += findings.lost
            self.half_written += findings.half_written
        return service

    def check(self) -> None:
        """Start the service once more, check, and kill it."""
        self.started().kill()

    def _check_events(self) -> None:
        with contextlib.closing(open_reader(self.workspace / "journal")) as journal:
            rows = journal.execute(
                "SELECT journal_offset, event_id, user_id, query FROM events WHERE journal_offset > ?",
                (self._last_offset,),
            ).fetchall()
        there = {event_id for _, event_id, *_ in rows}
        self.half_written += sum(user != f"u{event}" or query != event for _, event, user, query in rows)
        self.lost += sum(event not in there for event in self.clients.event_ids[self._num_checked_events :])
        self._num_checked_events = len(self.clients.event_ids)
        self._last_offset = max([self._last_offset, *(row[0] for row in rows)])


def kill_services(crashes: Crashes, *, rounds: int, longest_s: float) -> Findings:
    """Kill the service at random moments under mixed writes, again and again."""
    for number in range(rounds):
        after_s = float(crashes.rng.random()) * longest_s
        crashes.round(number, lambda _, after_s=after_s: time.sleep(after_s))
    crashes.check()
    return crashes.findings


def kill_in_switches(crashes: Crashes, *, rounds: int) -> dict[str, object]:
    """Kill the service while it switches to a version that was built under writes."""
    for number in range(rounds):
        crashes.round(10_000 + number, lambda service: _kill_in_switch(service, crashes))
    crashes.check()
    return {"kills": rounds, "lost": crashes.lost, "half_written": crashes.half_written}


def _kill_in_switch(service: Service, crashes: Crashes) -> None:
    caller = Caller(service.address)
    name = caller.post("/v1/versions", {})["id"]
    deadline = time.monotonic() + 600
    while state_of(caller, name) == "building":
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert state_of(caller, name) == "ready"
    switch = subprocess.Popen(
        ["curl", "-s", "-X", "PUT", "-H", "Content-Type: application/json", "-d", json.dumps({"id": name}),
         f"{service.address}v1/versions/current"], stdout=subprocess.DEVNULL
    )  # fmt: skip
    time.sleep(float(crashes.rng.random()) * 0.5)
    service.kill()
    switch.wait()


def state_of(caller: Caller, version_id: str) -> str:
    """Return the state of a version."""
    versions = caller.call("GET", "/v1/versions")[0]["versions"]
    return next(version["state"] for version in versions if version["id"] == version_id)


def lose_stores(crashes: Crashes) -> dict[str, object]:
    """Delete the stores, then damage every file of the new ones: each time they are built again."""
    before = (crashes.lost, crashes.half_written)
    for store in _stores(crashes.workspace):
        shutil.rmtree(store)
    crashes.round(20_000, lambda _: time.sleep(0.5))
    for store in _stores(crashes.workspace):
        for path in (path for path in store.rglob("*") if path.is_file()):
            content = path.read_bytes()
            path.write_bytes(content[: len(content) // 2] + b"\xff" * (len(content) - len(content) // 2))
    crashes.round(20_001, lambda _: time.sleep(0.5))
    crashes.check()
    return {
        "deleted": "built again",
        "damaged": "built again",
        "nothing_lost": before == (crashes.lost, crashes.half_written),
    }


def _stores(workspace: Path) -> Iterator[Path]:
    return (path for path in (workspace / "versions").glob("*/store") if path.is_dir())


def fill_disk(crashes: Crashes, folder: Path) -> dict[str, object]:
    """Serve from a small disk that runs full under writes: they are refused, and taken again when there is room."""
    num_bytes = sum(path.stat().st_size for path in crashes.workspace.rglob("*") if path.is_file())
    folder.mkdir()
    size = f"size={num_bytes + _MOUNT_MARGIN_BYTES}"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], capture_output=True).returncode:
        return {"skipped": "mount is not allowed"}
    before, num_before, origin = (crashes.lost, crashes.half_written), len(crashes.clients.refusals), crashes.workspace
    try:
        shutil.copytree(origin, folder / "shop")
        crashes.workspace = folder / "shop"
        crashes.round(30_000, lambda service: _fill(service, folder, crashes))
        crashes.check()
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
    refused = len(crashes.clients.refusals) - num_before
    return {"refused": refused, "nothing_lost": before == (crashes.lost, crashes.half_written)}


def _fill(service: Service, folder: Path, crashes: Crashes) -> None:
    """Fill the disk, wait until writes are refused, make room, wait until they are taken again."""
    clients, ballast = crashes.clients, folder / "ballast"
    refused = len(clients.refusals)
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        for num_bytes in (2**20, 4096, 1):
            with contextlib.suppress(OSError):
                while file.write(b"x" * num_bytes) == num_bytes:
                    pass
    _wait_until(lambda: len(clients.refusals) > refused + 5)
    ballast.unlink()
    taken = clients.num_acknowledged
    _wait_until(lambda: clients.num_acknowledged > taken + 20)


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline, "the service did not go on"
        time.sleep(0.01)
