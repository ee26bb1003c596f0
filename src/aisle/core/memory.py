"""How much memory the machine has left for this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = ["available_memory"]

_ROOT = Path("/")


def available_memory(root: Path = _ROOT) -> int | None:
    """Return how many bytes can still be taken without swapping, by machine and control groups; None: not known.

    A container's limit is often far below the machine's memory, and the machine does not show it. Files in the page
    cache count as free: the kernel drops them.

    Args:
        root: Where `proc` and `sys` lie.

    Source: Linux, `Documentation/filesystems/proc.rst` (MemAvailable) and `admin-guide/cgroup-v{1,2}`.
    """
    return min((*_machine(root), *_groups(root)), default=None)


def _machine(root: Path) -> Iterator[int]:
    for line in _read(root / "proc/meminfo").splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable" and rest.split()[:1]:
            yield 1024 * int(rest.split()[0])


def _groups(root: Path) -> Iterator[int]:
    """Yield what is left in each group that the process is in: its own and those above it."""
    for line in _read(root / "proc/self/cgroup").splitlines():
        number, controllers, path = line.split(":", 2)
        if number == "0":
            mounted, limit, used = root / "sys/fs/cgroup", "memory.max", "memory.current"
        elif "memory" in controllers.split(","):
            mounted, limit, used = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"
        else:
            continue
        own = mounted / path.lstrip("/")
        # Inside a container the path may be that of the machine, which is not mounted: its own group is then the root.
        for group in (own, *own.parents):
            most, taken = _number(group / limit), _number(group / used)
            if most is not None and taken is not None:
                yield max(0, most - taken + _cached(group))
            if group == mounted:
                break


def _cached(group: Path) -> int:
    """Return what files take that were not used lately; version 1 counts groups below by another name."""
    lines = (line.split() for line in _read(group / "memory.stat").splitlines())
    found = {name: int(value) for name, value in lines if name in {"inactive_file", "total_inactive_file"}}
    return max(found.values(), default=0)


def _number(path: Path) -> int | None:
    text = _read(path).strip()
    return int(text) if text.isdecimal() else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError:
        return ""
