"""Starting one command in several processes that work together, and ending all of them when one dies."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

from aisle.core.errors import TrainingError
from aisle.pipelines.processes import shared_cores

__all__ = ["is_launched", "run_together"]

_HOST = "127.0.0.1"
_GRACE_S = 20.0


def is_launched() -> bool:
    """Whether this process is one of several that a launcher has started: `accelerate launch`, `torchrun` or ours."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


def run_together(command: Sequence[str], *, number: int, grace_s: float = _GRACE_S) -> int:
    """Run a command in several processes of this machine; they find each other by the variables of `torchrun`.

    The first speaks for all: it has this process's output. Each has an equal share of the cores' threads.

    Args:
        command: Program and arguments.
        number: Processes.
        grace_s: Time for the others to end by themselves, with what they have to say, once one has failed, in seconds.

    Returns:
        The first process's exit code.

    Raises:
        TrainingError: If another one ended before its time; the rest are ended too.
    """
    from torch.distributed import TCPStore  # type: ignore[attr-defined]

    # Held here and not by one of them: the system gives a free port, which nobody can take in between.
    store = TCPStore(_HOST, 0, is_master=True, wait_for_workers=False, timeout=timedelta(minutes=10))
    with tempfile.TemporaryDirectory() as logs, shared_cores(number):
        paths = {rank: Path(logs) / f"{rank}.log" for rank in range(1, number)}
        with _started(command, number, store.port, paths) as processes:
            first_failed = _first_failed(processes, grace_s=grace_s)
        if first_failed:
            raise _failure(first_failed, processes[first_failed].returncode, paths[first_failed])
    return processes[0].returncode


@contextmanager
def _started(
    command: Sequence[str], number: int, port: int, logs: Mapping[int, Path]
) -> Iterator[list[subprocess.Popen[bytes]]]:
    together = {
        "WORLD_SIZE": number,
        "LOCAL_WORLD_SIZE": number,
        "MASTER_ADDR": _HOST,
        "MASTER_PORT": port,
        "TORCHELASTIC_USE_AGENT_STORE": True,
    }
    processes: list[subprocess.Popen[bytes]] = []
    with ExitStack() as files:
        try:
            for rank in range(number):
                own = {**together, "RANK": rank, "LOCAL_RANK": rank}
                log = files.enter_context(logs[rank].open("wb")) if rank else None
                environment = {**os.environ, **{name: str(value) for name, value in own.items()}}
                processes.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
            yield processes
        finally:
            for process in processes:
                if process.poll() is None:
                    process.kill()
                    process.wait()


def _first_failed(processes: Sequence[subprocess.Popen[bytes]], *, grace_s: float) -> int | None:
    """Wait for all; once one has failed, a little while for the rest, which are then ended."""
    with ThreadPoolExecutor(len(processes)) as pool:
        rank_of: dict[Future[int], int] = {pool.submit(one.wait): rank for rank, one in enumerate(processes)}
        running, failed = set(rank_of), None
        while running:
            ended, running = wait(running, timeout=None if failed is None else grace_s, return_when=FIRST_COMPLETED)
            if not ended:
                for future in running:
                    processes[rank_of[future]].kill()
            if failed is None:
                # Of several that ended at once the first tells its own story.
                failed = min((rank_of[one] for one in ended if one.result()), default=None)
    return failed


def _failure(rank: int, exit_code: int, log: Path) -> TrainingError:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    told = lines[-1] if lines else "it was killed, perhaps for memory: fewer --processes need less"
    return TrainingError(
        "All processes must run until the end",
        received={"process": rank, "exit_code": exit_code, "problem": told},
        remedy="The others were ended. Run the command again: it goes on from the last checkpoint.",
    )
