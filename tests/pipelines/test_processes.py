import os
from pathlib import Path

import pytest

from aisle.core.errors import AisleError
from aisle.pipelines.processes import Task, run_side_by_side


def tasks_of(folder, names):
    return [Task(name, folder / name, folder / "logs" / f"{name}.log") for name in names]


def test_one_job_runs_here_in_order(tmp_path):
    seen, done = [], []
    run_side_by_side(seen.append, tasks_of(tmp_path, "ab"), jobs=1, done=lambda task: done.append(task.name))
    assert (seen, done) == ([tmp_path / "a", tmp_path / "b"], ["a", "b"])


def test_several_jobs_run_in_processes_of_their_own_and_leave_threads_as_they_were(tmp_path):
    done, before = [], dict(os.environ)
    run_side_by_side(Path.mkdir, tasks_of(tmp_path, "abc"), jobs=2, done=lambda task: done.append(task.name))
    assert sorted(done) == ["a", "b", "c"]
    assert all((tmp_path / name).is_dir() for name in "abc")
    assert dict(os.environ) == before


def test_a_failure_is_told_with_its_log_after_the_others_came_to_their_end(tmp_path):
    (tmp_path / "bad").mkdir()  # `mkdir` fails where the folder is there
    done = []
    with pytest.raises(
        AisleError, match=r"Every run must come to its end.*run='bad'.*FileExistsError.*bad\.log"
    ) as told:
        run_side_by_side(
            Path.mkdir, tasks_of(tmp_path, ["bad", "good"]), jobs=2, done=lambda one: done.append(one.name)
        )
    assert done == ["good"]
    assert "what is finished is kept" in str(told.value)


def test_nothing_to_do_is_done(tmp_path):
    run_side_by_side(Path.mkdir, [], jobs=3, done=print)
    assert list(tmp_path.iterdir()) == []
