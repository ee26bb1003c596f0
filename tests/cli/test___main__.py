import subprocess
import sys


def test_the_command_line_runs_by_the_name_of_its_package():
    done = subprocess.run([sys.executable, "-m", "aisle.cli", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("aisle ")
