import pytest

from aisle.core.memory import available_memory

GB = 2**30


def machine(root, *, available_kb=None, groups="", files=()):
    """Write what a machine's kernel would show."""
    found = {"proc/self/cgroup": groups, **dict(files)}
    if available_kb is not None:
        found["proc/meminfo"] = f"MemTotal:       99999999 kB\nMemAvailable:   {available_kb} kB\nBuffers: 3 kB\n"
    for name, text in found.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def test_where_nothing_is_told_nothing_is_known(tmp_path):
    assert available_memory(tmp_path) is None
    assert available_memory(machine(tmp_path, groups="0::/\n")) is None


def test_the_machine_alone(tmp_path):
    assert available_memory(machine(tmp_path, available_kb=2048)) == 2 * 2**20


@pytest.mark.parametrize(
    ("most", "expected"), [(4 * GB, 3 * GB + 500), (GB // 2, 0), ("max", 8 * GB), ("soon", 8 * GB)]
)
def test_a_container_of_version_2_has_its_own_limit(tmp_path, most, expected):
    group = {"memory.max": str(most), "memory.current": str(GB), "memory.stat": "anon 7\ninactive_file 500\n"}
    files = {f"sys/fs/cgroup/{name}": text for name, text in group.items()}
    root = machine(tmp_path, available_kb=8 * 2**20, groups="0::/\n", files=files.items())
    assert available_memory(root) == expected


def test_a_group_is_bound_by_those_above_it(tmp_path):
    files = {
        "sys/fs/cgroup/a/b/memory.max": str(9 * GB),
        "sys/fs/cgroup/a/b/memory.current": "0",
        "sys/fs/cgroup/a/memory.max": str(5 * GB),
        "sys/fs/cgroup/a/memory.current": str(GB),
    }
    assert available_memory(machine(tmp_path, groups="0::/a/b\n", files=files.items())) == 4 * GB


@pytest.mark.parametrize("path", ["/", "/docker/of-the-machine"])
def test_a_container_of_version_1(tmp_path, path):
    files = {
        "sys/fs/cgroup/memory/memory.limit_in_bytes": str(3 * GB),
        "sys/fs/cgroup/memory/memory.usage_in_bytes": str(GB),
        "sys/fs/cgroup/memory/memory.stat": "inactive_file 4096\ntotal_inactive_file 8192\n",
    }
    groups = f"9:name=systemd:/\n4:memory:{path}\n1:cpu:/x\n0::/\n"
    root = machine(tmp_path, available_kb=8 * 2**20, groups=groups, files=files.items())
    assert available_memory(root) == 2 * GB + 8192


def test_this_machine_has_some_and_not_more_than_it_could():
    found = available_memory()
    assert found is None or 2**20 < found < 2**50
