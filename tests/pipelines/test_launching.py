import os
import sys

import pytest

from aisle.core.errors import TrainingError
from aisle.pipelines.launching import is_launched, run_together


def python(code):
    return [sys.executable, "-c", code]


def test_each_process_is_told_who_it_is_and_has_its_share_of_cores(tmp_path):
    names = ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "OMP_NUM_THREADS")
    code = (
        "import os, pathlib\n"
        f"told = ' '.join(os.environ[name] for name in {names})\n"
        f"pathlib.Path({str(tmp_path)!r}, os.environ['RANK']).write_text(told)"
    )
    before = dict(os.environ)
    assert run_together(python(code), number=3) == 0
    threads = max(1, os.cpu_count() // 3)
    told = [(tmp_path / str(rank)).read_text() for rank in range(3)]
    assert told == [f"{rank} {rank} 3 3 127.0.0.1 {threads}" for rank in range(3)]
    assert dict(os.environ) == before


def test_the_first_speaks_for_all(capfd):
    assert run_together(python("import os; print('this is', os.environ['RANK'])"), number=2) == 0
    assert capfd.readouterr().out == "this is 0\n"


def test_the_first_process_fails_for_all(capfd):
    code = "import os, sys; sys.exit('our own words' if os.environ['RANK'] == '0' else 0)"
    assert run_together(python(code), number=2) == 1
    assert "our own words" in capfd.readouterr().err


def test_another_that_dies_is_told_with_its_last_words_and_the_rest_are_ended():
    """The first would wait for ever: it reads from a pipe that nobody writes to."""
    code = (
        "import os, sys\n"
        "if os.environ['RANK'] == '1': sys.exit('its last words')\n"
        "pipe = os.pipe(); os.read(pipe[0], 1)"
    )
    with pytest.raises(
        TrainingError, match=r"process=1, exit_code=1, problem='its last words'\. The others were ended"
    ):
        run_together(python(code), number=2, grace_s=0.1)


def test_one_that_is_killed_has_no_last_words():
    code = "import os, signal\nif os.environ['RANK'] == '1': os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(TrainingError, match=r"exit_code=-9, problem='it was killed, perhaps for memory"):
        run_together(python(code), number=2)


def test_a_launchers_process_knows_it(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert not is_launched()
    monkeypatch.setenv("WORLD_SIZE", "1")
    assert not is_launched()
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert is_launched()
