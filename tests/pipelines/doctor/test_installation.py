from importlib.metadata import PackageNotFoundError

import pytest

from aisle.pipelines.doctor.installation import disk_finding, installation_findings

REQUIRES = ["numpy>=1.26", 'fastapi>=0.115; extra == "serve"', 'qdrant-client>=1.15; extra == "cluster"']
VERSIONS = {"numpy": "2.0", "fastapi": "0.120", "qdrant-client": "1.20"}


def version_of(versions):
    def told(name):
        if name not in versions:
            raise PackageNotFoundError(name)
        return versions[name]

    return told


def findings(versions=VERSIONS, requires=lambda _: REQUIRES, **more):
    return {one.name: one for one in installation_findings(requires, version_of(versions), **more)}


def test_this_machine_can_run_it():
    found = {one.name: one for one in installation_findings()}
    assert {"python", "aisle", "aisle[serve]", "compiled packages", "processor", "threads", "memory"} <= set(found)
    assert found["compiled packages"].state == "ok"
    assert found["python"].told.startswith("3.")


def test_packages_are_told_by_extra():
    found = findings()
    assert (found["aisle"].state, found["aisle"].told) == ("ok", "numpy 2.0")
    assert found["aisle[serve]"].told == "fastapi 0.120"
    assert found["aisle[train]"].told == "no extra of the installed version"


@pytest.mark.parametrize(
    ("lacks", "name", "state"),
    [("numpy", "aisle", "problem"), ("fastapi", "aisle[serve]", "warning"), ("qdrant-client", "aisle[cluster]", "ok")],
)
def test_what_is_missing_weighs_as_much_as_it_is_needed(lacks, name, state):
    found = findings({one: version for one, version in VERSIONS.items() if one != lacks})[name]
    assert found.state == state
    assert found.told == f"missing: {lacks}"
    assert "pip install" in found.remedy


def test_a_version_that_does_not_fit_is_a_problem_wherever_it_is():
    found = findings({**VERSIONS, "qdrant-client": "1.2"})["aisle[cluster]"]
    assert found.state == "problem"
    assert found.told == "qdrant-client 1.2 is not >=1.15; qdrant-client 1.2"


def test_a_folder_that_was_not_installed_is_a_warning():
    def not_installed(name):
        raise PackageNotFoundError(name)

    found = findings(requires=not_installed)
    assert found["packages"].state == "warning"
    assert "aisle" not in found


def test_a_broken_compiled_package_is_a_problem(monkeypatch):
    def broken(name):
        raise OSError(f"lib{name}.so: cannot open\nmore")

    monkeypatch.setattr("aisle.pipelines.doctor.installation.importlib.import_module", broken)
    found = findings()["compiled packages"]
    assert found.state == "problem"
    assert "faiss: libfaiss.so: cannot open" in found.told
    assert "more" not in found.told


def test_a_processor_without_avx2_is_slow(monkeypatch, tmp_path):
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("model name: old\nflags\t: fpu sse2\n")
    assert findings(cpuinfo=cpuinfo)["processor"].state == "warning"
    cpuinfo.write_text("flags\t: fpu avx2 fma avx512f\n")
    assert findings(cpuinfo=cpuinfo)["processor"].told == "avx2, fma, avx512f"
    assert findings(cpuinfo=tmp_path / "missing")["processor"].told == "x86_64, features not known"


def test_more_threads_than_cores_is_told(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "4096")
    assert findings()["threads"].state == "warning"
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert findings()["threads"].state == "ok"


@pytest.mark.parametrize(("left", "state"), [(None, "ok"), (1 << 20, "warning"), (1 << 40, "ok")])
def test_little_memory_is_told(monkeypatch, left, state):
    monkeypatch.setattr("aisle.pipelines.doctor.installation.available_memory", lambda: left)
    assert findings()["memory"].state == state


def test_the_disk_of_a_folder_that_is_not_there_yet_is_that_of_the_one_above(tmp_path, monkeypatch):
    assert str(tmp_path) in disk_finding(tmp_path / "new" / "shop").told
    monkeypatch.setattr("aisle.pipelines.doctor.installation._LEAST_DISK", 1 << 60)
    assert disk_finding(tmp_path).state == "warning"
